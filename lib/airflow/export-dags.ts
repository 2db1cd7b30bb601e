import { EpsilonError } from '../errors/epsilon-error.ts';
import { cronOf } from './python-text.ts';
import { qualityDag, renderQualityDag } from './quality-dag.ts';
import type { DefinitionJson } from './task-graph.ts';
import { type DagSource, renderTrainingDag, trainingDag } from './training-dag.ts';

/** What of the service's declarations becomes DAGs. */
export interface DagDeclarations {
  readonly machines: readonly { readonly key: string; readonly definition: unknown }[];
  readonly schedules: readonly {
    readonly expression: string;
    readonly timezone?: string;
    readonly target: { readonly kind: string; readonly key: string };
  }[];
}

/** One generated DAG. */
export interface ExportedDag {
  readonly dagId: string;
  readonly file: string;
  readonly text: string;
}

/** The DAGs by what they are made of: the machine that is their graph, and the machine whose schedule is theirs. */
const exported = [
  {
    dagId: trainingDag,
    machine: 'tenant-model-training',
    scheduledAs: 'nightly-training',
    render: renderTrainingDag,
  },
  {
    dagId: qualityDag,
    machine: 'data-quality-check',
    scheduledAs: 'data-quality-check',
    render: renderQualityDag,
  },
] as const;

/** The definition of a machine, and the schedule of another as a cron expression. Error: `DAG_UNSUPPORTED` when one is not declared. */
function sourceOf({ machines, schedules }: DagDeclarations, key: string, scheduledAs: string): DagSource {
  const machine = machines.find((one) => one.key === key);
  const schedule = schedules.find(({ target }) => target.kind === 'machine' && target.key === scheduledAs);
  if (!machine || !schedule)
    throw new EpsilonError(
      'DAG_UNSUPPORTED',
      `${machine ? `No schedule starts the machine ${scheduledAs}` : `There is no machine ${key}`}: its DAG cannot be generated.`,
    );
  return {
    definition: machine.definition as DefinitionJson,
    cron: cronOf(schedule.expression, schedule.timezone),
  };
}

/**
 * The DAGs for Airflow, generated from machines, schedules and the stage catalogue. Errors: `DAG_UNSUPPORTED`, `SCHEDULE_UNSUPPORTED` for what
 * has no counterpart there.
 */
export function exportDags(declared: DagDeclarations): readonly ExportedDag[] {
  return exported.map(({ dagId, machine, scheduledAs, render }) => ({
    dagId,
    file: `${dagId}.py`,
    text: render(sourceOf(declared, machine, scheduledAs)),
  }));
}
