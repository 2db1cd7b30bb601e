import type { Ports } from '../../ports/ports.ts';
import { isDrivenByAirflow } from '../../training/airflow-run.ts';
import { type Attempt, terminalStatuses } from '../../training/run.ts';
import { type ReconcileCounts, reconcileAttempts } from './reconcile-attempts.ts';
import { reconcileDriven } from './reconcile-driven.ts';
import { reconcileModels } from './reconcile-models.ts';
import { reconcileRuns } from './reconcile-runs.ts';

type Needed = Pick<Ports, 'locks' | 'runs' | 'config' | 'clock' | 'log' | 'metrics'> &
  Parameters<typeof reconcileAttempts>[0] &
  Parameters<typeof reconcileRuns>[0] &
  Parameters<typeof reconcileModels>[0];

/** What became of a shard: nothing when another pass over it is under way. */
export type ShardCounts = ReconcileCounts & { readonly runsEnded: number; readonly modelsAnnounced: number };

/** One invocation's claim on a shard. */
export interface ShardPass {
  readonly shard: number;
  /** Who passes; no two invocations share it. */
  readonly holder: string;
  /** Milliseconds until the invocation is cut off. */
  readonly remainingMs: number;
}

/** Milliseconds that the calls under way need to end when the time is up; less than the SDK waits for a dead call. */
const windDownMs = 5_000;

/** How many jobs wait for their start, by where: the depth of the queues, as far as this shard goes. */
function countWaiting({ metrics }: Pick<Ports, 'metrics'>, attempts: readonly Attempt[]): void {
  const waiting = attempts.filter(
    ({ status, submittedAt, startedAt }) =>
      submittedAt !== undefined && startedAt === undefined && !terminalStatuses.has(status),
  );
  for (const [key, own] of Map.groupBy(waiting, ({ backend, capacity }) => `${backend}/${capacity}`)) {
    const [backend = '', capacity = ''] = key.split('/');
    metrics.count('JobsWaiting', own.length, { backend, capacity });
  }
}

async function pass(ports: Needed, { shard, remainingMs }: ShardPass): Promise<ShardCounts> {
  const until = ports.clock.now() + Math.max(0, remainingMs - windDownMs);
  const part = { shard, shards: ports.config.reconcile.shards };
  const [attempts, running] = await Promise.all([
    ports.runs.listOpenAttempts(part),
    ports.runs.listRunningRuns(part),
  ]);
  // What Airflow drives has no execution that could be described, and no Job: Airflow reports its ends.
  const own = attempts.filter((attempt) => !isDrivenByAirflow(attempt));
  const runs = new Map(running.flatMap((run) => (isDrivenByAirflow(run) ? [] : [[run.runId, run]])));
  countWaiting(ports, attempts);
  const counts = await reconcileAttempts(ports, { shard, attempts: own, runs, until });
  const ended = await reconcileRuns(ports, { shard, attempts: own, runs, until });
  const runsEnded = ended + (await reconcileDriven(ports, { runs: running, attempts, until }));
  const modelsAnnounced = await reconcileModels(ports, { part, until });
  if (counts.left > 0) {
    ports.metrics.count('ReconcilerLeft', counts.left);
    ports.log.warn('pass ended before its attempts did', { shard, ...counts });
  }
  return { ...counts, runsEnded, modelsAnnounced };
}

/**
 * One pass over a shard, never beside another one of the same shard: an invocation that is delivered twice, or that comes
 * while the one before is still at work, finds the lock held and does nothing. Undefined then.
 */
export async function reconcileShard(ports: Needed, asked: ShardPass): Promise<ShardCounts | undefined> {
  const { shard, holder, remainingMs } = asked;
  const now = ports.clock.now();
  const lock = { name: `reconcile/${shard}`, holder };
  const times = { now: new Date(now).toISOString(), expiresAt: new Date(now + remainingMs).toISOString() };
  if (!(await ports.locks.tryLock({ ...lock, ...times }))) {
    ports.metrics.count('ReconcilerOverlaps', 1);
    ports.log.info('another invocation reconciles this shard', { shard });
    return undefined;
  }
  try {
    return await pass(ports, asked);
  } finally {
    await ports.locks.unlock(lock);
  }
}
