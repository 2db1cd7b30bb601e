import type { Attempt, Run } from '../training/run.ts';
import { type StageName, type StageSeconds, stageNames, stages } from '../training/stages.ts';

/**
 * Taken for a stage of which nothing was measured yet: a run of an hour and a half, most of it training. An assumption; it
 * decides only a first night's forecast, because each run that succeeds records what its stages took.
 */
export const assumedSeconds: StageSeconds = {
  prepare: 600,
  train: 3_600,
  index: 720,
  deploy: 180,
  cache: 240,
};

/** Seconds until a node is there and the container runs, which every job spends. An assumption. */
export const startSeconds = 60;

function ofStages(secondsOf: (stage: StageName) => number): StageSeconds {
  return Object.fromEntries(stageNames.map((stage) => [stage, secondsOf(stage)])) as StageSeconds;
}

const millisecondsOf = ({ startedAt, submittedAt, intentAt, finishedAt }: Attempt): number =>
  finishedAt === undefined ? 0 : Date.parse(finishedAt) - Date.parse(startedAt ?? submittedAt ?? intentAt);

/**
 * What each stage of a run took, in seconds, from its attempts: the one that succeeded, and of a stage with checkpoints also
 * those that were reclaimed, whose work the last one built on. Undefined unless every stage succeeded.
 */
export function measuredSeconds(attempts: readonly Attempt[]): StageSeconds | undefined {
  const seconds: Partial<Record<StageName, number>> = {};
  for (const stage of stageNames) {
    const own = attempts.filter((attempt) => attempt.stage === stage);
    if (!own.some(({ status }) => status === 'succeeded')) return undefined;
    const counts = ({ status, startedAt }: Attempt) =>
      status === 'succeeded' ||
      (stages[stage].checkpoints === true && status === 'preempted' && startedAt !== undefined);
    const total = own.filter(counts).reduce((sum, attempt) => sum + millisecondsOf(attempt), 0);
    seconds[stage] = Math.max(0, Math.round(total / 1000));
  }
  return ofStages((stage) => seconds[stage] ?? 0);
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** What is known of tenants' durations. */
export interface Durations {
  /** The tenant's newest measured run; else the median of all tenants; else the assumption. */
  of(tenantId: string): StageSeconds;
  isMeasured(tenantId: string): boolean;
}

/** Durations from earlier runs, in any order. */
export function durationsFrom(runs: readonly Run[]): Durations {
  const newest = new Map<string, { readonly at: string; readonly seconds: StageSeconds }>();
  for (const { tenantId, startedAt: at, stageSeconds: seconds } of runs) {
    const known = newest.get(tenantId);
    if (seconds && (!known || known.at < at)) newest.set(tenantId, { at, seconds });
  }
  const of = (stage: StageName) =>
    // Runs of before a stage was added say nothing of it.
    median([...newest.values()].flatMap(({ seconds }) => seconds[stage] ?? [])) ?? assumedSeconds[stage];
  const usual = ofStages(of);
  return {
    of: (tenantId) => ({ ...usual, ...newest.get(tenantId)?.seconds }),
    isMeasured: (tenantId) => newest.has(tenantId),
  };
}
