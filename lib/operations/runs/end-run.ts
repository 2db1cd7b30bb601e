import { ConditionFailed } from '../../errors/store-errors.ts';
import { detailTypes, eventDetail } from '../../event-schemas/detail.ts';
import type { Ports } from '../../ports/ports.ts';
import { type Attempt, type Run, type RunStatus, terminalStatuses } from '../../training/run.ts';

type Needed = Pick<Ports, 'runs' | 'leases' | 'jobs' | 'events' | 'notifier' | 'clock' | 'metrics'>;

/** How an execution ended, as the status-change event or DescribeExecution tells it. */
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

async function cancelJobs(ports: Needed, attempts: readonly Attempt[], reason: string): Promise<number> {
  const open = attempts.filter((attempt) => attempt.settledAt === undefined);
  for (const attempt of open) {
    const runner = ports.jobs[attempt.backend];
    const found = attempt.jobId ? attempt : await runner?.find(attempt.jobName);
    if (runner && found?.jobId) await runner.cancel({ jobName: attempt.jobName, jobId: found.jobId }, reason);
    await closeCancelled(ports, attempt);
  }
  return open.length;
}

async function closeCancelled(ports: Needed, attempt: Attempt): Promise<void> {
  const now = new Date(ports.clock.now()).toISOString();
  const closed = { settledAt: now, taskToken: null } as const;
  const { changed } = await ports.runs.changeAttempt(
    attempt,
    {
      ...closed,
      status: 'cancelled',
      finishedAt: now,
      error: 'JobCancelled',
      cause: 'The execution ended.',
    },
    { status: ['intent', 'submitted', 'running'] },
  );
  if (changed) return;
  await ports.runs.updateAttempt(attempt, closed, { status: [attempt.status, ...terminalStatuses] });
}

/**
 * Cleans up after an execution that did not succeed: cancels live jobs, releases the lease, records the end and tells
 * people. Fenced by redrive count: the end of an earlier try never touches a run that has been redriven since.
 * Returns false when there was nothing to do.
 */
export async function endRun(ports: Needed, run: Run, end: ExecutionEnd): Promise<boolean> {
  if (run.redriveCount > end.redriveCount || run.status === 'succeeded') return false;
  const alreadyEnded = run.status !== 'running';
  const cancelled = await cancelJobs(
    ports,
    await ports.runs.listAttempts(run.runId),
    `execution ${end.status}`,
  );
  await ports.leases.release({ tenantId: run.tenantId, holder: run.runId, fence: run.fence });
  if (alreadyEnded) return cancelled > 0;
  try {
    await ports.runs.updateRun(
      run.runId,
      {
        status: statusOf[end.status],
        finishedAt: new Date(ports.clock.now()).toISOString(),
        ...(end.error === undefined ? {} : { error: end.error }),
        ...(end.cause === undefined ? {} : { cause: end.cause }),
      },
      { status: ['running'], maxRedriveCount: end.redriveCount },
    );
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
  await announce(ports, run, end);
  return true;
}

async function announce(ports: Needed, run: Run, end: ExecutionEnd): Promise<void> {
  ports.metrics.count('RunsFailed', 1);
  await ports.events.publish([
    {
      source: 'epsilon.training',
      detailType: detailTypes.runStateChange,
      detail: eventDetail(run, { status: statusOf[end.status], error: end.error, cause: end.cause }),
    },
  ]);
  await ports.notifier.notify({
    severity: 'warning',
    subject: `Training of ${run.tenantId} ${end.status.toLowerCase().replace('_', ' ')}`,
    body: `Run ${run.runId} (${run.logicalDate}) ended with ${end.error ?? end.status}: ${end.cause ?? 'no cause given'}.`,
  });
}
