import { inParallel } from '../../concurrency/in-parallel.ts';
import { StaleFence } from '../../errors/run-errors.ts';
import type { Ports } from '../../ports/ports.ts';
import { isDrivenByAirflow } from '../../training/airflow-run.ts';
import { type Attempt, type Run, terminalStatuses } from '../../training/run.ts';
import { jobKinds } from '../../training/stages.ts';
import { renewalFor } from '../attempts/hold-lease.ts';
import { settleAttempt } from '../attempts/settle-attempt.ts';
import { settleRun } from '../runs/settle-run.ts';

type Needed = Parameters<typeof settleRun>[0] &
  Parameters<typeof settleAttempt>[0] &
  Pick<Ports, 'runs' | 'leases' | 'clock' | 'config' | 'metrics' | 'log'>;

/** Hours that Airflow may be silent about a run without an open attempt before the run counts as over: it may queue its tasks for long. */
const silentHours = 6;

/** Seconds beyond the stage's own timeout in which the end of a pod may be reported. */
const reportSeconds = 3_600;

const atOnce = 4;

/** What of a shard is driven by Airflow. */
interface DrivenPass {
  readonly runs: readonly Run[];
  readonly attempts: readonly Attempt[];
  readonly until: number;
}

function mayStillRun(ports: Pick<Ports, 'clock'>, { stage, intentAt, status }: Attempt): boolean {
  const seconds = jobKinds[stage].timeoutSeconds + reportSeconds;
  return !terminalStatuses.has(status) && ports.clock.now() < Date.parse(intentAt) + seconds * 1000;
}

/** Keeps the lease of a run with a pod at work; ends a run of which nothing was heard since its lease expired. */
async function lookAfter(ports: Needed, run: Run, attempts: readonly Attempt[]): Promise<boolean> {
  if (attempts.some((attempt) => mayStillRun(ports, attempt))) {
    await ports.leases.renew(renewalFor(ports, run)).catch((error: unknown) => {
      if (!(error instanceof StaleFence)) throw error;
      ports.log.warn('lease lost', { tenantId: run.tenantId, runId: run.runId, fence: run.fence });
    });
    return false;
  }
  const lease = await ports.leases.get(run.tenantId);
  const heard = lease?.holder === run.runId ? lease.expiresAt : run.startedAt;
  if (ports.clock.now() < Date.parse(heard) + silentHours * 3_600_000) return false;
  return settleRun(ports, run, {
    status: 'TIMED_OUT',
    redriveCount: run.redriveCount,
    error: 'AirflowSilent',
    cause: `Airflow reported nothing of ${run.executionArn} for ${silentHours} hours.`,
  });
}

/** Looks after the runs that Airflow drives: their executions cannot be described and their pods are Airflow's. Returns how many it ended. */
export async function reconcileDriven(ports: Needed, { runs, attempts, until }: DrivenPass): Promise<number> {
  let ended = 0;
  await inParallel(runs.filter(isDrivenByAirflow), atOnce, async (run) => {
    if (ports.clock.now() >= until) return;
    try {
      const own = attempts.filter(({ runId }) => runId === run.runId);
      for (const attempt of own)
        if (terminalStatuses.has(attempt.status)) await settleAttempt(ports, attempt);
      if (await lookAfter(ports, run, own)) ended += 1;
    } catch (error) {
      ports.metrics.count('ReconcilerFaults', 1);
      ports.log.error('run not reconciled', { runId: run.runId, error: String(error) });
    }
  });
  return ended;
}
