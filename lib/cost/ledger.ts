import type { Attempt, Run } from '../training/run.ts';
import { type JobStage, type StageName, stageNames } from '../training/stages.ts';
import { type AttemptCost, costOfAttempt } from './attempt-cost.ts';
import { priceList } from './prices.ts';

/** Transitions of a run beside its stages; with five stages nine. */
const runTransitions = 4;

/** Calls of functions: for a run (begin, promote, finish), and for an attempt (submit, complete). */
const calls = { run: 3, attempt: 2 } as const;

/** What a call is taken to last, in seconds, and its memory in GiB. An assumption: the price of calls is a thousandth of that of jobs. */
const call = { seconds: 0.3, gib: 0.5 } as const;

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
  /** What jobs left in the object store, in GiB, as far as it is known. */
  readonly storedGiB: number;
  /** US dollars of jobs, of disks and objects, of the machines and functions that led them, and of all. */
  readonly jobsUsd: number;
  readonly storageUsd: number;
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
  /** Dollars of jobs on spot whose price of type and day is not listed, so that it is assumed. */
  readonly assumedUsd: number;
  /** Attempts that succeeded and do not say how much they left: their storage is not in it. */
  readonly unmeasured: number;
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
  storedGiB: 0,
  jobsUsd: 0,
  storageUsd: 0,
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
  sums.storedGiB += (cost.storedBytes ?? 0) / 2 ** 30;
  sums.jobsUsd += cost.usd;
  sums.storageUsd += cost.storageUsd;
  sums.controlUsd += controlUsd(1, calls.attempt);
  if (!cost.useful) sums.repeatedUsd += cost.usd;
}

const lineOf = (key: string, { runIds, ...sums }: Sums): LedgerLine => ({
  key,
  runs: runIds.size,
  ...sums,
  usd: sums.jobsUsd + sums.storageUsd + sums.controlUsd,
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
 * What runs cost by our own attempts: resources asked for × seconds, at the list's prices, and what they left in storage. Idle capacity, what
 * all tenants share and taxes are not in it.
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
  let [equivalent, assumedUsd, unmeasured] = [false, 0, 0];
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
      assumedUsd += cost.assumedUsd;
      if (attempt.status === 'succeeded' && cost.storedBytes === undefined) unmeasured += 1;
      spot.paidUsd += cost.usd;
      if (cost.useful) spot.onDemandUsd += cost.onDemandUsd;
    }
  }
  return {
    by,
    lines: [...sums].map(([key, own]) => lineOf(key, own)).sort(inOrder[by]),
    total: lineOf('total', total),
    ...(spot.onDemandUsd > 0 ? { spot: { ...spot, savedShare: 1 - spot.paidUsd / spot.onDemandUsd } } : {}),
    assumedUsd,
    unmeasured,
    equivalent,
  };
}
