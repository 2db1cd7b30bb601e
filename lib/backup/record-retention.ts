import { z } from 'zod';
import { checkSchema } from '../errors/check-schema.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';
import type { LiveModel, ModelVersion } from '../training/models/model.ts';
import type { Attempt, Run } from '../training/run.ts';
import { keyFinder, pointersOf } from './pointers.ts';

const day = 86_400_000;

/** Days in which a failed execution can be redriven, as on the service; what a redrive needs stays one day longer. */
const redriveDays = 15;

const days = z.int().min(1).max(3_650);

/** `retention:` in infra/config/local.yml. */
const schema = z.strictObject({
  /** Days after its end that a run stays on record, with its attempts and its execution. */
  runDays: days.default(30),
  /** Models of a tenant that stay besides the live one and the one before it. */
  modelsKept: z.int().min(0).max(1_000).default(3),
  /** Days after its job's end that a job's folder, with its output, stays. */
  jobDays: days.default(14),
});

/** How long the control plane's own records stay. */
export type RecordsPolicy = Readonly<z.output<typeof schema>>;

/** Runs of a tenant that stay on record however old they are: later nights are planned by them. */
const runsKept = 10;

/** Days after its run's success that the output of a failed attempt stays. */
const failedAttemptDays = 1;

/** The policy with its defaults; `CONFIG_INVALID`, `RETENTION_RANGE`. */
export function recordsPolicy(given: unknown): RecordsPolicy {
  const checked = checkSchema(schema, given ?? {});
  if (!checked.success) {
    const { path, sentence, unknownKey } = checked.fault;
    const what =
      unknownKey === undefined
        ? `${['retention', ...path].join('.')} ${sentence}`
        : `retention.${unknownKey} is not known`;
    throw new EpsilonError('CONFIG_INVALID', `Setting ${what}.`);
  }
  const { runDays } = checked.data;
  if (runDays >= redriveDays) return checked.data;
  throw new EpsilonError(
    'RETENTION_RANGE',
    `Setting retention.runDays is ${runDays}; a run can be redriven for 14 days, so it must be at least ${redriveDays}.`,
  );
}

const modelKey = ({ tenantId, modelVersion }: Pick<ModelVersion, 'tenantId' | 'modelVersion'>) =>
  `${tenantId}/${modelVersion}`;

/** Models whose records and objects may go: neither live nor the one before, and not among the newest of their tenant. */
export function modelsToForget(
  models: readonly ModelVersion[],
  lives: readonly LiveModel[],
  { modelsKept }: Pick<RecordsPolicy, 'modelsKept'>,
): ModelVersion[] {
  const inUse = new Set(
    lives.flatMap(({ tenantId, modelVersion, previousVersion }) => [
      `${tenantId}/${modelVersion}`,
      `${tenantId}/${previousVersion}`,
    ]),
  );
  const others = models.filter((model) => !inUse.has(modelKey(model)));
  return [...Map.groupBy(others, ({ tenantId }) => tenantId).values()].flatMap((of) =>
    of.sort((a, b) => (a.modelVersion < b.modelVersion ? 1 : -1)).slice(modelsKept),
  );
}

function endedBefore({ finishedAt, startedAt }: Run, instant: number): boolean {
  return Date.parse(finishedAt ?? startedAt) < instant;
}

/** Runs that may go from the record: over for `runDays`, not among the newest of their tenant, and no model names them. */
export function runsToForget(
  runs: readonly Run[],
  models: readonly ModelVersion[],
  { runDays }: Pick<RecordsPolicy, 'runDays'>,
  now: number,
): Run[] {
  const named = new Set(models.map(({ runId }) => runId));
  return [...Map.groupBy(runs, ({ tenantId }) => tenantId).values()].flatMap((of) =>
    of
      .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
      .slice(runsKept)
      .filter(
        (run) => run.status !== 'running' && !named.has(run.runId) && endedBefore(run, now - runDays * day),
      ),
  );
}

/** What is known of a folder of a run's outputs. */
export interface RunOutputs {
  /** Prefix of all of them, as `bucket/tenant/runs/run/`. */
  readonly prefix: string;
  readonly runId: string;
  /** When anything in it was written last, in milliseconds since the Unix epoch. */
  readonly changedAt: number;
}

/** What is on record of the runs whose outputs are looked at. */
export interface OutputFacts {
  readonly runs: ReadonlyMap<string, Run>;
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
  /** Models on record, and the pairs that are live. */
  readonly models: readonly ModelVersion[];
  readonly lives: readonly LiveModel[];
}

/** Prefix of an attempt's outputs, as `bucket/key`. */
const prefixOf = ({ outputUri }: Attempt) => outputUri.replace(/^s3:\/\//, '');

/**
 * Prefixes, as `bucket/key`, whose objects may go. A run whose model is on record keeps what its successful attempts wrote. Any other
 * run keeps its outputs as long as it can be redriven; what belongs to no run on record stays for `runDays`.
 */
export function outputsToDelete(
  folders: readonly RunOutputs[],
  { runs, attempts, models, lives }: OutputFacts,
  { runDays }: Pick<RecordsPolicy, 'runDays'>,
  now: number,
): string[] {
  const named = new Set(models.map(({ runId }) => runId));
  // Whatever the records of runs say: where anything is that a model needs, nothing goes.
  const isNeeded = keyFinder(pointersOf([...models, ...lives]));
  const found = folders.flatMap(({ prefix, runId, changedAt }) => {
    const run = runs.get(runId);
    if (!run) return changedAt < now - runDays * day ? [prefix] : [];
    if (run.status === 'running') return [];
    if (!named.has(runId)) return endedBefore(run, now - redriveDays * day) ? [prefix] : [];
    if (run.status !== 'succeeded' || !endedBefore(run, now - failedAttemptDays * day)) return [];
    return (attempts.get(runId) ?? [])
      .filter(({ status, settledAt }) => status !== 'succeeded' && settledAt !== undefined)
      .map(prefixOf)
      .filter((each) => each.startsWith(prefix) && each.length > prefix.length && each.endsWith('/'));
  });
  return found.filter((prefix) => !isNeeded(prefix));
}
