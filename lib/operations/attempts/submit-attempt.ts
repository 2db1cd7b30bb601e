import { EpsilonError } from '../../errors/epsilon-error.ts';
import { StaleFence, Throttled } from '../../errors/run-errors.ts';
import { ConditionFailed, NotFound } from '../../errors/store-errors.ts';
import type { JobRunner } from '../../ports/job-runner.ts';
import type { Ports } from '../../ports/ports.ts';
import { chooseCapacity } from '../../training/attempts/capacity.ts';
import type { JobObservation } from '../../training/attempts/job.ts';
import { jobNameOf } from '../../training/attempts/job-name.ts';
import { jobSpecOf, type StageOutputs, stagePrefix } from '../../training/attempts/job-spec.ts';
import { nextStep, stepForOpenAttempt } from '../../training/attempts/submission.ts';
import { tokenDigestOf } from '../../training/attempts/token-digest.ts';
import { type Attempt, type Run, terminalStatuses } from '../../training/run.ts';
import { type StageName, stages } from '../../training/stages.ts';
import { leaseOf, leaseOfTry, takeLease } from './hold-lease.ts';
import { finishAttempt, recordProgress, settleAttempt } from './settle-attempt.ts';

type Needed = Pick<Ports, 'runs' | 'leases' | 'jobs' | 'callbacks' | 'config' | 'clock' | 'log' | 'metrics'>;

/** One entry of a stage state, with the run and its attempts as they were read for it. */
export interface StageEntry {
  readonly run: Run;
  readonly attempts: readonly Attempt[];
  readonly stage: StageName;
  readonly taskToken: string;
  /** Of the execution that enters. */
  readonly redriveCount: number;
}

/** What an entry did; told to the log and the history, never needed by the machine. */
export type EntryOutcome = 'submitted' | 'adopted' | 'waiting' | 'settled' | 'lost' | 'answered';

function runnerOf(ports: Needed, attempt: Attempt): JobRunner {
  const runner = ports.jobs[attempt.backend];
  if (runner) return runner;
  throw new EpsilonError(
    'BACKEND_UNAVAILABLE',
    `The ${attempt.backend} backend of ${attempt.jobName} is not available here.`,
  );
}

/** Output prefixes of the stages that succeeded. */
function outputsOf(attempts: readonly Attempt[]): StageOutputs {
  return Object.fromEntries(
    attempts
      .filter((attempt) => attempt.status === 'succeeded')
      .map((attempt) => [attempt.stage, attempt.outputUri]),
  );
}

function ofStage({ attempts, stage }: StageEntry): Attempt[] {
  return attempts
    .filter((attempt) => attempt.stage === stage)
    .sort((earlier, later) => earlier.attempt - later.attempt);
}

/** Records the intent and keeps the lease alive by one write. */
async function makeAttempt(ports: Needed, entry: StageEntry, number: number): Promise<Attempt> {
  const { run, stage, taskToken } = entry;
  const now = new Date(ports.clock.now()).toISOString();
  const attempt: Attempt = {
    runId: run.runId,
    tenantId: run.tenantId,
    logicalDate: run.logicalDate,
    traceId: run.traceId,
    stage,
    attempt: number,
    status: 'intent',
    jobName: jobNameOf(run.runId, stage, number),
    backend: run.backend,
    ...chooseCapacity(ofStage(entry), {
      spotAllowed: run.spotAllowed,
      preemptionsBeforeOnDemand: ports.config.training.preemptionsBeforeOnDemand,
    }),
    resources: run.resources[stage] ?? stages[stage].resources,
    fence: run.fence,
    executionArn: run.executionArn,
    redriveCount: run.redriveCount,
    outputUri: `${stagePrefix(ports.config.dataBucket, run, stage)}${number}/`,
    taskToken,
    tokenDigest: tokenDigestOf(taskToken),
    intentAt: now,
    submitBegunAt: now,
  };
  await ports.runs.createAttempt(attempt, { lease: leaseOf(ports, run) });
  return attempt;
}

/** Errors after which there is certainly no job. */
function isRefusal(error: unknown): boolean {
  return error instanceof EpsilonError && !(error instanceof Throttled && error.unclear);
}

/** Lets the next entry submit at once: throttling is common and must not wait until the backend's lists can be trusted. */
async function noteRefusal(ports: Needed, attempt: Attempt): Promise<void> {
  await ports.runs
    .updateAttempt(attempt, { submitBegunAt: null }, { status: ['intent'] })
    .catch((error: unknown) =>
      ports.log.warn('refusal not recorded', { jobName: attempt.jobName, error: String(error) }),
    );
}

async function submit(
  ports: Needed,
  { run, attempts }: Pick<StageEntry, 'run' | 'attempts'>,
  attempt: Attempt,
  fresh: boolean,
): Promise<void> {
  const runner = runnerOf(ports, attempt);
  const spec = jobSpecOf(run, attempt, outputsOf(attempts), ports.config.dataBucket);
  const { jobId } = await runner.submit(spec, { fresh }).catch(async (error: unknown) => {
    if (runner.lookupLags && isRefusal(error)) await noteRefusal(ports, attempt);
    throw error;
  });
  if (runner.namesAreIds) return;
  const submittedAt = new Date(ports.clock.now()).toISOString();
  // A quick job's completion may overtake this write; the record is then further on, which is right.
  await ports.runs.changeAttempt(
    attempt,
    { status: 'submitted', jobId, submittedAt },
    { status: ['intent'] },
  );
}

/** Puts this entry's token on an attempt that is not settled; undefined when it was settled meanwhile. */
async function takeOver(ports: Needed, attempt: Attempt, taskToken: string): Promise<Attempt | undefined> {
  const { changed, attempt: mine } = await ports.runs.changeAttempt(
    attempt,
    { taskToken, tokenDigest: tokenDigestOf(taskToken), settledAt: null },
    { status: [attempt.status] },
  );
  return changed ? mine : undefined;
}

function withinGrace({ clock, config }: Pick<Ports, 'clock' | 'config'>, since: string | undefined): boolean {
  if (since === undefined) return false;
  return clock.now() - Date.parse(since) < config.training.lookupGraceSeconds * 1000;
}

/** Whether a job that its backend does not show may exist all the same: its lists may lag behind a submission. */
export function mayStillShowUp(ports: Pick<Ports, 'clock' | 'config'>, attempt: Attempt): boolean {
  const { status, submitBegunAt, submittedAt, intentAt } = attempt;
  return withinGrace(ports, status === 'intent' ? submitBegunAt : (submittedAt ?? intentAt));
}

/**
 * Submits under an intent that is there already. Where lists lag, of all who hold the attempt only the newest holder of its
 * token may, and it says so first: whoever comes next waits for this submission. False when somebody else was first.
 */
export async function submitAgain(
  ports: Needed,
  of: Pick<StageEntry, 'run' | 'attempts'>,
  attempt: Attempt,
): Promise<boolean> {
  if (runnerOf(ports, attempt).lookupLags) {
    const submitBegunAt = new Date(ports.clock.now()).toISOString();
    const { taskToken } = attempt;
    const mine = { status: ['intent'], ...(taskToken === undefined ? {} : { taskToken }) } as const;
    const { changed } = await ports.runs.changeAttempt(attempt, { submitBegunAt }, mine);
    if (!changed) return false;
  }
  await submit(ports, of, attempt, false);
  return true;
}

async function continueAttempt(ports: Needed, entry: StageEntry, attempt: Attempt): Promise<EntryOutcome> {
  const runner = runnerOf(ports, attempt);
  const observed = await runner.find(attempt.jobName);
  const step = stepForOpenAttempt(attempt, observed);
  if (step === 'submit') {
    // If there is a job after all, its events come; if not, the reconciler submits once the grace is over.
    if (runner.lookupLags && mayStillShowUp(ports, attempt)) return 'waiting';
    return (await submitAgain(ports, entry, attempt)) ? 'submitted' : 'waiting';
  }
  if (step === 'adopt' && observed) {
    await recordProgress(ports, attempt, observed);
    return 'adopted';
  }
  if (!observed && mayStillShowUp(ports, attempt)) return 'adopted';
  await finishAttempt(ports, attempt, observed ?? lostJob(attempt));
  return observed ? 'settled' : 'lost';
}

/** The observation of a job that its backend does not know any more. */
export function lostJob(attempt: Attempt): JobObservation {
  return {
    jobName: attempt.jobName,
    jobId: attempt.jobId ?? attempt.jobName,
    state: 'failed',
    reason: 'lost',
    message: `Job ${attempt.jobName} was submitted but its backend does not know it any more.`,
  };
}

/** Makes the next attempt and submits it; undefined when another entry was faster. */
async function beginAttempt(ports: Needed, entry: StageEntry, number: number): Promise<boolean> {
  let attempt: Attempt;
  try {
    attempt = await makeAttempt(ports, entry, number);
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
  await submit(ports, entry, attempt, true);
  return true;
}

/** The run and its attempts as they are now. */
export async function readEntry(
  ports: Pick<Ports, 'runs'>,
  runId: string,
): Promise<{ run: Run; attempts: Attempt[] }> {
  const found = await ports.runs.getRunWithAttempts(runId);
  if (found) return found;
  throw new NotFound('RUN_NOT_FOUND', `There is no run "${runId}".`);
}

/**
 * One entry of a stage: adopts, settles or submits so that the stage never has two live jobs, whatever crashed before.
 * Attempt identity is the record's; a lost race is decided again from the new record. The lease is held throughout: a new
 * attempt renews it with its own write, after a redrive it is taken again with a new, larger fence.
 */
export async function enterStage(ports: Needed, first: StageEntry): Promise<EntryOutcome> {
  let entry = { ...first, run: await leaseOfTry(ports, first.run, first.redriveCount) };
  for (;;) {
    const step = nextStep(ofStage(entry).at(-1), tokenDigestOf(entry.taskToken));
    if (step.kind === 'answered') return 'answered';
    try {
      if (step.kind === 'new-attempt') {
        if (await beginAttempt(ports, entry, step.attempt)) return 'submitted';
      } else {
        await ports.leases.renew(leaseOf(ports, entry.run));
        const owned = await takeOver(ports, step.attempt, entry.taskToken);
        if (owned && step.kind === 'look-up') return await continueAttempt(ports, entry, owned);
        if (owned && terminalStatuses.has(owned.status)) await settleAttempt(ports, owned);
        if (owned) return 'settled';
      }
      entry = { ...entry, ...(await readEntry(ports, entry.run.runId)) };
    } catch (error) {
      if (!(error instanceof StaleFence)) throw error;
      entry = { ...entry, run: await takeLease(ports, entry.run, entry.redriveCount) };
    }
  }
}
