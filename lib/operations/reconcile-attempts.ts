import { StaleFence } from '../errors/run-errors.ts';
import type { Ports } from '../ports/ports.ts';
import type { JobObservation } from '../training/job.ts';
import { type Attempt, terminalStatuses } from '../training/run.ts';
import { endRun } from './end-run.ts';
import { giveUpPlacement } from './give-up-placement.ts';
import { finishAttempt, recordProgress, settleAttempt } from './settle-attempt.ts';
import { lostJob } from './submit-attempt.ts';

/** What one pass over a shard did. */
export interface ReconcileCounts {
  checked: number;
  settled: number;
  lost: number;
  alive: number;
  cancelled: number;
}

type Verdict = 'settled' | 'lost' | 'alive' | 'cancelled';

/** Asks every backend about its attempts, as many in one call as the backend allows. */
async function observeAll(ports: Ports, attempts: readonly Attempt[]): Promise<Map<string, JobObservation>> {
  const observed = new Map<string, JobObservation>();
  for (const [backend, mine] of Map.groupBy(attempts, (attempt) => attempt.backend)) {
    const runner = ports.jobs.get(backend);
    if (!runner) continue;
    const known = mine.flatMap(({ jobName, jobId }) => (jobId === undefined ? [] : [{ jobName, jobId }]));
    for (const [name, observation] of await runner.observe(known)) observed.set(name, observation);
  }
  return observed;
}

async function endIfOver(ports: Ports, attempt: Attempt): Promise<boolean> {
  const execution = await ports.workflows.describe(attempt.executionArn);
  if (execution.status !== 'FAILED' && execution.status !== 'TIMED_OUT' && execution.status !== 'ABORTED')
    return false;
  const run = await ports.runs.getRun(attempt.runId);
  return run ? endRun(ports, run, { ...execution, status: execution.status }) : false;
}

/** Keeps a live job's task and lease alive; a token that is gone means that nobody waits for the job any more. */
async function keepAlive(ports: Ports, attempt: Attempt, observed: JobObservation): Promise<Verdict> {
  await recordProgress(ports, attempt, observed);
  const outcome =
    attempt.taskToken === undefined ? 'gone' : await ports.callbacks.heartbeat(attempt.taskToken);
  if (outcome === 'gone') return (await endIfOver(ports, attempt)) ? 'cancelled' : 'alive';
  const expiresAt = new Date(ports.clock.now() + ports.config.training.leaseSeconds * 1000).toISOString();
  const { tenantId, runId: holder } = attempt;
  const run = await ports.runs.getRun(holder);
  try {
    await ports.leases.renew({ tenantId, holder, fence: run?.fence ?? attempt.fence, expiresAt });
  } catch (error) {
    if (!(error instanceof StaleFence)) throw error;
    ports.log.warn('lease lost', { tenantId, runId: holder, fence: attempt.fence });
  }
  return 'alive';
}

async function reconcileOne(
  ports: Ports,
  attempt: Attempt,
  observed: JobObservation | undefined,
): Promise<Verdict> {
  if (terminalStatuses.has(attempt.status)) {
    await settleAttempt(ports, attempt);
    return 'settled';
  }
  if (observed?.state === 'pending' || observed?.state === 'running')
    return keepAlive(ports, attempt, observed);
  if (observed) {
    await finishAttempt(ports, attempt, observed);
    return 'settled';
  }
  // An intent without job belongs to its next entry: the state machine's heartbeat brings it back.
  const since = Date.parse(attempt.submittedAt ?? attempt.intentAt);
  const young = ports.clock.now() - since < ports.config.training.lookupGraceSeconds * 1000;
  if (young || attempt.status === 'intent') return (await endIfOver(ports, attempt)) ? 'cancelled' : 'alive';
  await finishAttempt(ports, attempt, lostJob(attempt));
  return 'lost';
}

/** Jobs that found no capacity in time; a fault here must not keep the pass from settling what is over. */
async function giveUp(ports: Ports, observed: Parameters<typeof giveUpPlacement>[1]): Promise<void> {
  try {
    await giveUpPlacement(ports, observed);
  } catch (error) {
    ports.metrics.count('ReconcilerFaults', 1);
    ports.log.error('placement not judged', { error: String(error) });
  }
}

/** One pass over the open attempts of a shard. One attempt's fault never stops the others. */
export async function reconcileAttempts(
  ports: Ports,
  part: { readonly shard: number; readonly shards: number },
): Promise<ReconcileCounts> {
  const counts: ReconcileCounts = { checked: 0, settled: 0, lost: 0, alive: 0, cancelled: 0 };
  const attempts = await ports.runs.listOpenAttempts(part);
  const observed = await observeAll(ports, attempts);
  await giveUp(ports, { attempts, jobs: observed, shard: part.shard });
  for (const attempt of attempts) {
    counts.checked += 1;
    try {
      counts[await reconcileOne(ports, attempt, observed.get(attempt.jobName))] += 1;
    } catch (error) {
      ports.metrics.count('ReconcilerFaults', 1);
      ports.log.error('attempt not reconciled', {
        runId: attempt.runId,
        stage: attempt.stage,
        error: String(error),
      });
    }
  }
  return counts;
}
