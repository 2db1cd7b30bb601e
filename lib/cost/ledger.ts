import { type Attempt, type Run, terminalStatuses } from '../training/run.ts';
import { type JobStage, jobKinds, type StageName, stageNames } from '../training/stages.ts';
import { priceList, priceOf, spotShareOf } from './prices.ts';

/** The instance that jobs are priced by: what the training groups are made of. */
export const node = { type: 'c5.4xlarge', vcpus: 16, memoryMiB: 32 * 1024 } as const;

/** Transitions of a run beside its stages; with five stages nine. */
const runTransitions = 4;

/** Calls of functions: for a run (begin, promote, finish), and for an attempt (submit, complete). */
const calls = { run: 3, attempt: 2 } as const;

/** What a call is taken to last, in seconds, and its memory in GiB. An assumption: the price of calls is a thousandth of that of jobs. */
const call = { seconds: 0.3, gib: 0.5 } as const;

/** What one attempt's job used and costs. */
export interface AttemptCost {
  readonly runId: string;
  readonly tenantId: string;
  readonly stage: JobStage;
  readonly attempt: number;
  readonly spot: boolean;
  /** Its job ran on this machine; the price is that of the same on AWS. */
  readonly equivalent: boolean;
  /** Its work counts: the stage succeeded with it, or built on what it had saved. */
  readonly useful: boolean;
  readonly seconds: number;
  readonly vcpuSeconds: number;
  readonly gibSeconds: number;
  /** US dollars. */
  readonly usd: number;
  /** What the same seconds cost on-demand. */
  readonly onDemandUsd: number;
}

/** Seconds that a job held its place: from its start to its end, or until now. A job that never started held none. */
function secondsOf({ startedAt, finishedAt, status }: Attempt, now: number): number {
  if (startedAt === undefined) return 0;
  const over = finishedAt !== undefined || terminalStatuses.has(status);
  const end = finishedAt === undefined ? (over ? Date.parse(startedAt) : now) : Date.parse(finishedAt);
  const seconds = (end - Date.parse(startedAt)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}

/** What an attempt costs: its larger share of a node, cpu or memory, for as long as it ran. */
export function costOfAttempt(attempt: Attempt, now: number): AttemptCost {
  const { runId, tenantId, stage, backend, status } = attempt;
  const { cpu, memoryMiB } = attempt.resources ?? jobKinds[stage].resources;
  const seconds = secondsOf(attempt, now);
  const share = Math.max(cpu / node.vcpus, memoryMiB / node.memoryMiB);
  const onDemandUsd = (seconds / 3600) * share * priceOf(priceList.instanceHour, node.type);
  const spot = attempt.capacity === 'spot';
  return {
    runId,
    tenantId,
    stage,
    attempt: attempt.attempt,
    spot,
    equivalent: backend === 'local',
    useful:
      !terminalStatuses.has(status) ||
      status === 'succeeded' ||
      (status === 'preempted' && jobKinds[stage].checkpoints === true),
    seconds,
    vcpuSeconds: seconds * cpu,
    gibSeconds: (seconds * memoryMiB) / 1024,
    usd: spot ? onDemandUsd * spotShareOf(node.type, (attempt.startedAt ?? '').slice(0, 10)) : onDemandUsd,
    onDemandUsd,
  };
}

/** A run with its attempts. */
export interface RunWork {
  readonly run: Run;
  readonly attempts: readonly Attempt[];
}

/** What the ledger is added up by. */
export type LedgerKey = 'tenant' | 'stage' | 'day';

/** Usage and costs, added up. */
export interface LedgerLine {
  readonly key: string;
  readonly runs: number;
  readonly attempts: number;
  readonly vcpuHours: number;
  readonly gibHours: number;
  /** US dollars of jobs, of the machines and functions that led them, and of both. */
  readonly jobsUsd: number;
  readonly controlUsd: number;
  readonly usd: number;
  /** Part of the jobs' dollars that led to nothing: failed, lost, taken away without a checkpoint. */
  readonly repeatedUsd: number;
}

/** Everything that some runs cost. */
export interface Ledger {
  readonly by: LedgerKey;
  /** By key; dearest first, days in their order. */
  readonly lines: readonly LedgerLine[];
  readonly total: LedgerLine;
  /**
   * What the useful work costs on-demand, what was paid for it with all repeats and fallbacks, and the part that was saved; absent where
   * nothing useful ran.
   */
  readonly spot?: { readonly onDemandUsd: number; readonly paidUsd: number; readonly savedShare: number };
  /** Jobs ran on this machine; prices are those of the same on AWS. */
  readonly equivalent: boolean;
}

type Sums = { -readonly [K in Exclude<keyof LedgerLine, 'key' | 'usd' | 'runs'>]: number } & {
  readonly runIds: Set<string>;
};

const noSums = (): Sums => ({
  runIds: new Set(),
  attempts: 0,
  vcpuHours: 0,
  gibHours: 0,
  jobsUsd: 0,
  controlUsd: 0,
  repeatedUsd: 0,
});

function controlUsd(transitions: number, functionCalls: number): number {
  const { transition, invocation, functionGiBSecond } = priceList.use;
  return (
    transitions * transition + functionCalls * (invocation + call.seconds * call.gib * functionGiBSecond)
  );
}

function add(sums: Sums, cost: AttemptCost): void {
  sums.runIds.add(cost.runId);
  sums.attempts += 1;
  sums.vcpuHours += cost.vcpuSeconds / 3600;
  sums.gibHours += cost.gibSeconds / 3600;
  sums.jobsUsd += cost.usd;
  sums.controlUsd += controlUsd(1, calls.attempt);
  if (!cost.useful) sums.repeatedUsd += cost.usd;
}

const lineOf = (key: string, { runIds, ...sums }: Sums): LedgerLine => ({
  key,
  runs: runIds.size,
  ...sums,
  usd: sums.jobsUsd + sums.controlUsd,
});

/** What a run itself costs is nobody's stage. */
const ofNoStage = '(run)';

/** Where a cost belongs. */
function keyOf(by: LedgerKey, run: Run, stage: JobStage | undefined): string {
  if (by === 'tenant') return run.tenantId;
  return by === 'day' ? run.logicalDate : (stage ?? ofNoStage);
}

const inOrder: Readonly<Record<LedgerKey, (one: LedgerLine, other: LedgerLine) => number>> = {
  tenant: (one, other) => other.usd - one.usd || one.key.localeCompare(other.key),
  day: (one, other) => one.key.localeCompare(other.key),
  stage: (one, other) => stagePlace(one.key) - stagePlace(other.key),
};

const stagePlace = (key: string) => {
  const place = stageNames.indexOf(key as StageName);
  return place < 0 ? stageNames.length : place;
};

/**
 * What runs cost by our own attempts: resources asked for × seconds, at the list's prices. Idle capacity, what all tenants share and taxes
 * are not in it.
 */
export function ledgerOf(works: readonly RunWork[], by: LedgerKey, now: number): Ledger {
  const total = noSums();
  const sums = new Map<string, Sums>();
  const sumsOf = (key: string) => {
    const known = sums.get(key) ?? noSums();
    sums.set(key, known);
    return known;
  };
  const spot = { onDemandUsd: 0, paidUsd: 0 };
  let equivalent = false;
  for (const { run, attempts } of works) {
    for (const own of [total, sumsOf(keyOf(by, run, undefined))]) {
      own.runIds.add(run.runId);
      own.controlUsd += controlUsd(runTransitions, calls.run);
    }
    for (const attempt of attempts) {
      const cost = costOfAttempt(attempt, now);
      add(total, cost);
      add(sumsOf(keyOf(by, run, attempt.stage)), cost);
      equivalent ||= cost.equivalent;
      spot.paidUsd += cost.usd;
      if (cost.useful) spot.onDemandUsd += cost.onDemandUsd;
    }
  }
  return {
    by,
    lines: [...sums].map(([key, own]) => lineOf(key, own)).sort(inOrder[by]),
    total: lineOf('total', total),
    ...(spot.onDemandUsd > 0 ? { spot: { ...spot, savedShare: 1 - spot.paidUsd / spot.onDemandUsd } } : {}),
    equivalent,
  };
}
