import { ConditionFailed } from '../../errors/store-errors.ts';
import { detailTypes, eventDetail } from '../../event-schemas/detail.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { traceparentOfRun } from '../../tracing/ids.ts';
import type { Attempt, Run, RunStatus } from '../../training/run.ts';
import { abandonAttempt, seeOff } from '../attempts/abandon.ts';

type Needed = Pick<
  Ports,
  'runs' | 'leases' | 'jobs' | 'events' | 'notifier' | 'clock' | 'config' | 'metrics'
>;

/** How an execution ended, as the status-change event or DescribeExecution reports it. */
export interface ExecutionEnd {
  readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly redriveCount: number;
  readonly error?: string;
  readonly cause?: string;
}

const statusOf: Readonly<Record<ExecutionEnd['status'], RunStatus>> = {
  FAILED: 'failed',
  TIMED_OUT: 'timed-out',
  ABORTED: 'aborted',
};

/** The run as this end leaves it, and whether this very end ended it; undefined when the run has left the try behind. */
async function recordEnd(
  ports: Needed,
  run: Run,
  end: ExecutionEnd,
): Promise<{ readonly run: Run; readonly moved: boolean } | undefined> {
  const isPast = (one: Run) => one.redriveCount > end.redriveCount || one.status === 'succeeded';
  if (isPast(run)) return undefined;
  if (run.status !== 'running') return { run, moved: false };
  const changes = {
    status: statusOf[end.status],
    finishedAt: isoNow(ports.clock),
    ...(end.error === undefined ? {} : { error: end.error }),
    ...(end.cause === undefined ? {} : { cause: end.cause }),
  };
  try {
    const expect = { status: ['running'], maxRedriveCount: end.redriveCount } as const;
    return { run: await ports.runs.updateRun(run.runId, changes, expect), moved: true };
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    const current = await ports.runs.getRun(run.runId);
    return current && !isPast(current) ? { run: current, moved: false } : undefined;
  }
}

/** Gives up all attempts of the try that ended; gives those whose jobs are to be seen off. */
async function abandonAttempts(ports: Needed, run: Run, end: ExecutionEnd): Promise<Attempt[]> {
  const attempts = await ports.runs.listAttempts(run.runId);
  const left: Attempt[] = [];
  for (const attempt of attempts.filter(({ settledAt }) => settledAt === undefined)) {
    const abandoned = await abandonAttempt(ports, attempt, {
      maxRedriveCount: end.redriveCount,
      cause: `execution ${end.status}`,
    });
    if (abandoned) left.push(abandoned);
  }
  return left;
}

/** Stops what can be stopped now. One job's fault never keeps the others running; the first is thrown when all were tried. */
async function seeAllOff(ports: Needed, attempts: readonly Attempt[]): Promise<void> {
  const faults: unknown[] = [];
  for (const attempt of attempts) await seeOff(ports, attempt).catch((error: unknown) => faults.push(error));
  if (faults.length > 0) throw faults[0];
}

/**
 * Settles a run whose execution did not succeed: records the end, gives the attempts up, releases the lease, notifies people and
 * stops the jobs. The record comes first and is fenced by redrive count, and so is each attempt: the end of an earlier try never
 * touches a run, or an attempt, that a redrive goes on with. A job that does not show yet is left to the reconciler, and so is
 * whatever a crash leaves. Returns false when there was nothing to do.
 */
export async function settleRun(ports: Needed, run: Run, end: ExecutionEnd): Promise<boolean> {
  const found = await recordEnd(ports, run, end);
  if (!found) return false;
  const { tenantId, runId: holder, fence } = found.run;
  const left = await abandonAttempts(ports, found.run, end);
  await ports.leases.release({ tenantId, holder, fence });
  if (found.moved) await announce(ports, found.run, end);
  await seeAllOff(ports, left);
  return found.moved || left.length > 0;
}

async function announce(ports: Needed, run: Run, end: ExecutionEnd): Promise<void> {
  ports.metrics.count('RunsFailed', 1);
  await ports.events.publish([
    {
      source: 'epsilon.training',
      detailType: detailTypes.runStateChange,
      detail: eventDetail(
        { ...run, traceparent: traceparentOfRun(run) },
        { status: statusOf[end.status], error: end.error, cause: end.cause },
      ),
    },
  ]);
  await ports.notifier.notify({
    severity: 'warning',
    subject: `Training of ${run.tenantId} ${end.status.toLowerCase().replace('_', ' ')}`,
    body: `Run ${run.runId} (${run.logicalDate}) ended with ${end.error ?? end.status}: ${end.cause ?? 'no cause given'}.`,
  });
}
