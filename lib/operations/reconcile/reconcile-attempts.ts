import { inParallel } from '../../concurrency/in-parallel.ts';
import { StaleFence } from '../../errors/run-errors.ts';
import type { JobRunner } from '../../ports/job-runner.ts';
import type { Ports } from '../../ports/ports.ts';
import type { ExecutionDetail } from '../../ports/workflows.ts';
import type { JobObservation, JobRef } from '../../training/attempts/job.ts';
import { type Attempt, type Run, terminalStatuses } from '../../training/run.ts';
import { abandonAttempt, seeOff, stopStray } from '../attempts/abandon.ts';
import { giveUpPlacement } from '../attempts/give-up-placement.ts';
import { renewalFor } from '../attempts/hold-lease.ts';
import { recordAndSettle, recordProgress, settleAttempt } from '../attempts/settle-attempt.ts';
import { stopUnstartable } from '../attempts/stop-unstartable.ts';
import { lostJob, mayStillShowUp, specOf, submitAgain } from '../attempts/submit-attempt.ts';
import { settleRun } from '../runs/settle-run.ts';
import { notePlaces } from './note-places.ts';

type Needed = Pick<
  Ports,
  | 'runs'
  | 'leases'
  | 'jobs'
  | 'callbacks'
  | 'imageRecords'
  | 'workflows'
  | 'events'
  | 'notifier'
  | 'config'
  | 'clock'
  | 'random'
  | 'log'
  | 'metrics'
>;

/** What one pass over a shard did. */
export interface ReconcileCounts {
  checked: number;
  settled: number;
  lost: number;
  alive: number;
  cancelled: number;
  /** Attempts that the time did not suffice for; the next pass begins elsewhere. */
  left: number;
}

type Verdict = 'settled' | 'lost' | 'alive' | 'cancelled';

/** One pass: what is open in a shard, the runs it belongs to, and when the pass has to end. */
export interface Pass {
  readonly shard: number;
  readonly attempts: readonly Attempt[];
  readonly runs: ReadonlyMap<string, Run>;
  /** Milliseconds since the Unix epoch after which nothing new is begun. */
  readonly until: number;
}

/** Attempts a backend is asked about by one call. */
const observedAtOnce = 100;

/** Such calls, and attempts, that are dealt with side by side. */
const callsAtOnce = 2;
const attemptsAtOnce = 16;

/** What the backends say; `unknown` holds the attempts whose backend could not be asked: nothing is concluded for them. */
interface Observations {
  readonly jobs: Map<string, JobObservation>;
  readonly unknown: Set<string>;
}

/** How a runner names the job of an attempt, or undefined while it cannot. */
function refOf(runner: JobRunner, { jobName, jobId }: Attempt): JobRef | undefined {
  const id = jobId ?? (runner.namesAreIds ? jobName : undefined);
  return id === undefined ? undefined : { jobName, jobId: id };
}

/** Asks every backend about its jobs that are not over, a hundred by one call. */
async function observeAll(ports: Needed, attempts: readonly Attempt[]): Promise<Observations> {
  const observations: Observations = { jobs: new Map(), unknown: new Set() };
  const asks: { readonly runner: JobRunner; readonly refs: JobRef[] }[] = [];
  for (const [backend, mine] of Map.groupBy(attempts, (attempt) => attempt.backend)) {
    const runner = ports.jobs[backend];
    const refs = mine
      .filter(({ status }) => !terminalStatuses.has(status))
      .flatMap((attempt) => (runner && refOf(runner, attempt)) ?? []);
    for (let at = 0; runner && at < refs.length; at += observedAtOnce)
      asks.push({ runner, refs: refs.slice(at, at + observedAtOnce) });
    if (!runner) for (const { jobName } of mine) observations.unknown.add(jobName);
  }
  await inParallel(asks, callsAtOnce, async ({ runner, refs }) => {
    try {
      for (const [name, job] of await runner.observe(refs)) observations.jobs.set(name, job);
    } catch (error) {
      for (const { jobName } of refs) observations.unknown.add(jobName);
      fault(ports, 'jobs not observed', error, { backend: runner.backend, jobs: refs.length });
    }
  });
  return observations;
}

function fault(ports: Needed, message: string, error: unknown, fields: Record<string, unknown> = {}): void {
  ports.metrics.count('ReconcilerFaults', 1);
  ports.log.error(message, { ...fields, error: String(error) });
}

/**
 * Gives up an attempt that has no run, because it looks at datasets, once its execution is over: however that ended, nothing waits for the
 * job, and no run's end stops it.
 */
async function endWithoutRun(
  ports: Needed,
  attempt: Attempt,
  { status, redriveCount }: ExecutionDetail,
): Promise<boolean> {
  if (status === 'RUNNING') return false;
  const end = { maxRedriveCount: redriveCount, cause: `execution ${status}` };
  const left = await abandonAttempt(ports, attempt, end);
  if (left) await seeOff(ports, left);
  return true;
}

async function endIfOver(ports: Needed, pass: Pass, attempt: Attempt): Promise<boolean> {
  const execution = await ports.workflows.describe(attempt.executionArn);
  if (attempt.stage === 'profile') return endWithoutRun(ports, attempt, execution);
  if (execution.status !== 'FAILED' && execution.status !== 'TIMED_OUT' && execution.status !== 'ABORTED')
    return false;
  const run = pass.runs.get(attempt.runId) ?? (await ports.runs.getRun(attempt.runId));
  return run ? settleRun(ports, run, { ...execution, status: execution.status }) : false;
}

/** Keeps a run's lease alive, once a pass however many jobs it has. */
async function keepLease(ports: Needed, run: Run): Promise<void> {
  try {
    await ports.leases.renew(renewalFor(ports, run));
  } catch (error) {
    if (!(error instanceof StaleFence)) throw error;
    ports.log.warn('lease lost', { tenantId: run.tenantId, runId: run.runId, fence: run.fence });
  }
}

/** Keeps a live job's task and lease alive; a token that is gone means that nobody waits for the job any more. */
async function keepAlive(
  ports: Needed,
  pass: Pass,
  attempt: Attempt,
  observed: JobObservation,
  renewed: Set<string>,
): Promise<Verdict> {
  await recordProgress(ports, attempt, observed);
  const outcome =
    attempt.taskToken === undefined ? 'gone' : await ports.callbacks.heartbeat(attempt.taskToken);
  if (outcome === 'gone') return (await endIfOver(ports, pass, attempt)) ? 'cancelled' : 'alive';
  const run = pass.runs.get(attempt.runId);
  if (run && !renewed.has(run.runId)) {
    renewed.add(run.runId);
    await keepLease(ports, run);
  }
  return 'alive';
}

/**
 * An intent whose job does not show although it would by now. Where lists lag, entries leave it to this pass, which looks
 * once more and submits; where names are ids, submitting again is safe whatever became of the first one. Elsewhere it
 * belongs to its next entry, which the state machine's heartbeat brings.
 */
async function resumeIntent(
  ports: Needed,
  pass: Pass,
  attempt: Attempt,
  renewed: Set<string>,
): Promise<Verdict> {
  if (await endIfOver(ports, pass, attempt)) return 'cancelled';
  const runner = ports.jobs[attempt.backend];
  if (!runner?.lookupLags && !runner?.namesAreIds) return 'alive';
  const found = runner.lookupLags ? await runner.find(attempt.jobName) : undefined;
  if (found) return reconcileOne(ports, pass, attempt, found, renewed);
  const of = await ports.runs.getRunWithAttempts(attempt.runId);
  if (of?.run.status === 'running' && (await submitAgain(ports, attempt, specOf(ports, of, attempt))))
    ports.log.warn('submitted a job for an intent that had none', { jobName: attempt.jobName });
  return 'alive';
}

async function reconcileOne(
  ports: Needed,
  pass: Pass,
  read: Attempt,
  observed: JobObservation | undefined,
  renewed: Set<string>,
): Promise<Verdict> {
  const attempt = await stopStray(ports, read);
  if (attempt.abandonedAt !== undefined) return (await seeOff(ports, attempt)) ? 'cancelled' : 'alive';
  if (terminalStatuses.has(attempt.status)) {
    await settleAttempt(ports, attempt);
    return 'settled';
  }
  if (observed?.state === 'pending' || observed?.state === 'running')
    return keepAlive(ports, pass, attempt, observed, renewed);
  if (observed) {
    await recordAndSettle(ports, attempt, observed);
    return 'settled';
  }
  if (mayStillShowUp(ports, attempt)) return 'alive';
  if (attempt.status === 'intent') return resumeIntent(ports, pass, attempt, renewed);
  await recordAndSettle(ports, attempt, lostJob(attempt));
  return 'lost';
}

/** Jobs that found no capacity in time, and such that found it in vain; a fault here must not keep the pass from settling what is over. */
async function giveUp(ports: Needed, observed: Parameters<typeof giveUpPlacement>[1]): Promise<void> {
  try {
    await stopUnstartable(ports, observed);
    await giveUpPlacement(ports, observed);
  } catch (error) {
    fault(ports, 'placement not judged', error);
  }
}

/**
 * What is over first; then what is alive, from another place with every pass, so that a pass which has too little time
 * does not always leave out the same ones.
 */
function inOrder(ports: Needed, attempts: readonly Attempt[], { jobs }: Observations): Attempt[] {
  const isAlive = ({ status, jobName }: Attempt) => {
    const state = jobs.get(jobName)?.state;
    return !terminalStatuses.has(status) && (state === 'pending' || state === 'running');
  };
  const alive = attempts.filter(isAlive);
  const from = Math.floor(ports.random() * alive.length);
  return [...attempts.filter((attempt) => !isAlive(attempt)), ...alive.slice(from), ...alive.slice(0, from)];
}

/** Compares the open attempts of a shard with what their backends have. One attempt's fault never stops the others. */
export async function reconcileAttempts(ports: Needed, pass: Pass): Promise<ReconcileCounts> {
  const { attempts, shard, until } = pass;
  const counts: ReconcileCounts = { checked: 0, settled: 0, lost: 0, alive: 0, cancelled: 0, left: 0 };
  const observations = await observeAll(ports, attempts);
  await giveUp(ports, { attempts, jobs: observations.jobs, shard });
  const known = attempts.filter(
    ({ jobName, status }) => terminalStatuses.has(status) || !observations.unknown.has(jobName),
  );
  const renewed = new Set<string>();
  await inParallel(inOrder(ports, known, observations), attemptsAtOnce, async (attempt) => {
    if (ports.clock.now() >= until) {
      counts.left += 1;
      return;
    }
    counts.checked += 1;
    try {
      const observed = observations.jobs.get(attempt.jobName);
      counts[await reconcileOne(ports, pass, attempt, observed, renewed)] += 1;
    } catch (error) {
      fault(ports, 'attempt not reconciled', error, { runId: attempt.runId, stage: attempt.stage });
    }
  });
  await notePlaces(ports, { attempts: known, jobs: observations.jobs, until });
  return counts;
}
