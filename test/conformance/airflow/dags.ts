import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DefinitionJson,
  type GraphTask,
  taskGraphOf,
  taskIdOf,
} from '../../../lib/airflow/task-graph.ts';
import { stages } from '../../../lib/training/stages.ts';
import { loadLocalService } from '../../../local/declaration/local-service.ts';
import { facts } from './facts.ts';
import type { Installed } from './install.ts';

interface ReadTask {
  readonly downstream: readonly string[];
  readonly retries: number;
  readonly retryDelaySeconds: number;
  readonly timeoutSeconds: number | null;
}

interface ReadDags {
  readonly version: string;
  readonly errors: Readonly<Record<string, string>>;
  readonly dags: Readonly<
    Record<
      string,
      {
        readonly schedule: string;
        readonly catchup: boolean;
        readonly tasks: Readonly<Record<string, ReadTask>>;
      }
    >
  >;
}

/** What one comparison found: how many facts were compared, and which differ. */
export interface Compared {
  readonly compared: number;
  readonly faults: readonly string[];
}

/** The id of a task in Airflow: those of a Map's state are in a group of its name, where the group has several. */
function idOf({ state, map }: GraphTask, grouped: ReadonlySet<string>): string {
  const own = taskIdOf(state);
  return map !== undefined && grouped.has(map) ? `${taskIdOf(map)}.${own}` : own;
}

/** `a > b` of every dependency in the machine. */
function machineEdges(definition: DefinitionJson): string[] {
  const tasks = taskGraphOf(definition);
  const counts = Map.groupBy(tasks, ({ map }) => map);
  const grouped = new Set([...counts].flatMap(([map, those]) => (map && those.length > 1 ? [map] : [])));
  const byState = new Map(tasks.map((task) => [task.state, idOf(task, grouped)]));
  return tasks
    .flatMap(({ state, after }) => after.map((before) => `${byState.get(before)} > ${byState.get(state)}`))
    .sort();
}

/** The dependencies that Airflow read, without those that follow from others: a task that uses what an earlier one returned depends on it, too. */
function readEdges(tasks: Readonly<Record<string, ReadTask>>, known: ReadonlySet<string>): string[] {
  const next = (id: string) => (tasks[id]?.downstream ?? []).filter((one) => known.has(one));
  const reaches = (from: string, to: string): boolean =>
    next(from).some((one) => one === to || reaches(one, to));
  return [...known]
    .flatMap((id) => next(id).map((one) => [id, one] as const))
    .filter(([id, to]) => !next(id).some((between) => between !== to && reaches(between, to)))
    .map(([id, to]) => `${id} > ${to}`)
    .sort();
}

function readDags({ python }: Installed, folder: string): ReadDags {
  const home = mkdtempSync(join(tmpdir(), 'airflow-home-'));
  try {
    const out = execFileSync(python, [join(import.meta.dirname, 'read_dags.py'), folder], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        AIRFLOW_HOME: home,
        AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
        PYTHONDONTWRITEBYTECODE: '1',
      },
    });
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as ReadDags;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Reads the DAGs with a real Airflow and compares them with the machines: no import error, the same dependencies, schedule, retries, timeouts. */
export function compareDags(installed: Installed, folder: string): Compared {
  const read = readDags(installed, folder);
  const { found, expect } = facts(installed.version);
  expect('errors of the import', read.errors, {});
  expect('version', read.version, installed.version);
  const { service } = loadLocalService('.', {});
  for (const [dagId, key, cron] of [
    ['tenant_model_training', 'tenant-model-training', '0 2 * * *'],
    ['data_quality_check', 'data-quality-check', '0 * * * *'],
  ] as const) {
    const dag = read.dags[dagId];
    const definition = service.machines.find((machine) => machine.key === key)?.definition;
    const wanted = machineEdges(definition as unknown as DefinitionJson);
    const known = new Set(wanted.flatMap((edge) => edge.split(' > ')));
    expect(`${dagId}: dependencies`, readEdges(dag?.tasks ?? {}, known), wanted);
    expect(`${dagId}: schedule`, dag?.schedule, cron);
    expect(`${dagId}: catchup`, dag?.catchup, false);
  }
  for (const { state, timeoutSeconds } of Object.values(stages)) {
    const task = read.dags['tenant_model_training']?.tasks[taskIdOf(state)];
    expect(`${state}: retries`, [task?.retries, task?.retryDelaySeconds], [2, 300]);
    expect(`${state}: timeout`, task?.timeoutSeconds, timeoutSeconds);
  }
  return found;
}
