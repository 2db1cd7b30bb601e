import { EpsilonError } from '../../errors/epsilon-error.ts';
import { StaleFence, Throttled } from '../../errors/run-errors.ts';
import { ConditionFailed, NotFound } from '../../errors/store-errors.ts';
import { isoNow } from '../../ports/clock.ts';
import type { JobRunner } from '../../ports/job-runner.ts';
import type { Ports } from '../../ports/ports.ts';
import { chooseCapacity, hurryOf } from '../../training/attempts/capacity.ts';
import type { JobObservation, JobSpec } from '../../training/attempts/job.ts';
import { jobNameOf } from '../../training/attempts/job-name.ts';
import { jobSpecOf, type StageOutputs, stagePrefix } from '../../training/attempts/job-spec.ts';
import { nextStep, stepForOpenAttempt } from '../../training/attempts/submission.ts';
import { tokenDigestOf } from '../../training/attempts/token-digest.ts';
import { type Attempt, type Run, terminalStatuses } from '../../training/run.ts';
import { type StageName, stages } from '../../training/stages.ts';
import { noteUnwanted, withinGrace } from './abandon.ts';
import { leaseOfTry, renewalFor, takeLease } from './hold-lease.ts';
import { recordAndSettle, recordProgress, settleAttempt } from './settle-attempt.ts';

type Submitting = Pick<
  Ports,
  'runs' | 'jobs' | 'callbacks' | 'imageRecords' | 'config' | 'clock' | 'log' | 'metrics'
>;
type Needed = Submitting & Pick<Ports, 'leases'>;

/** One entry of a stage state, with the run and its attempts as they were read for it. */
export interface StageEntry {
  readonly run: Run;
  readonly attempts: readonly Attempt[];
  readonly stage: StageName;
  readonly taskToken: string;
  /** Of the execution that enters. */
  readonly redriveCount: number;
  /** Of the state that enters, in this try of the execution. */
  readonly retryCount: number;
}

/** What an entry did; written to the log and the history, never needed by the machine. */
export type EntryOutcome =
  | 'submitted'
  | 'adopted'
  | 'waiting'
  | 'settled'
  | 'lost'
  | 'answered'
  /** A later entry, or a later try of the execution, has the stage: nothing was touched. */
  | 'superseded';

function runnerOf(ports: Submitting, attempt: Attempt): JobRunner {
  const runner = ports.jobs[attempt.backend];
  if (runner) return runner;
  throw new EpsilonError(
    'BACKEND_UNAVAILABLE',
    `The ${attempt.backend} backend of ${attempt.jobName} is not available here.`,
  );
}

/** Output prefixes of the stages that succeeded. */
export function outputsOf(attempts: readonly Attempt[]): StageOutputs {
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
export async function makeAttempt(
  ports: Pick<Ports, 'runs' | 'config' | 'clock'>,
  entry: StageEntry,
  number: number,
): Promise<Attempt> {
  const { run, stage, taskToken } = entry;
  const now = isoNow(ports.clock);
  const attempt: Attempt = {
    runId: run.runId,
    tenantId: run.tenantId,
    logicalDate: run.logicalDate,
    traceId: run.traceId,
    stage,
    attempt: number,
    status: 'intent',
    jobName: jobNameOf({ tenantId: run.tenantId, runId: run.runId, stage, attempt: number }, run.backend),
    backend: run.backend,
    ...chooseCapacity(ofStage(entry), {
      spotAllowed: run.spotAllowed,
      preemptionsBeforeOnDemand: ports.config.training.preemptionsBeforeOnDemand,
      ...hurryOf(
        run.spotUntil === undefined ? undefined : Date.parse(run.spotUntil),
        entry.attempts.toSorted((a, b) => (a.intentAt < b.intentAt ? -1 : 1)).at(-1),
        ports.clock.now(),
      ),
    }),
    ...(run.spotUntil === undefined ? {} : { spotUntil: run.spotUntil }),
    image: run.images[stages[stage].image],
    resources: run.resources[stage] ?? stages[stage].resources,
    fence: run.fence,
    executionArn: run.executionArn,
    redriveCount: run.redriveCount,
    retryCount: entry.retryCount,
    outputUri: `${stagePrefix(ports.config.dataBucket, run, stage)}${number}/`,
    taskToken,
    tokenDigest: tokenDigestOf(taskToken),
    intentAt: now,
    submitBegunAt: now,
  };
  await ports.runs.createAttempt(attempt, { lease: renewalFor(ports, run) });
  return attempt;
}

/** Errors after which there is certainly no job. */
function isRefusal(error: unknown): boolean {
  return error instanceof EpsilonError && !(error instanceof Throttled && error.unclear);
}

/**
 * Lets the next entry submit at once, and the job of an attempt that was given up count as none: throttling is common and must not wait
 * until the backend's lists can be trusted. A submission that somebody else began since is not touched.
 */
async function noteRefusal(ports: Submitting, attempt: Attempt): Promise<void> {
  const { submitBegunAt = null } = attempt;
  await ports.runs
    .changeAttempt(attempt, { submitBegunAt: null }, { submitBegunAt })
    .catch((error: unknown) =>
      ports.log.warn('refusal not recorded', { jobName: attempt.jobName, error: String(error) }),
    );
}

/** What the job of an attempt of a run is told. */
export function specOf(
  { config }: Pick<Ports, 'config'>,
  { run, attempts }: Pick<StageEntry, 'run' | 'attempts'>,
  attempt: Attempt,
): JobSpec {
  return jobSpecOf(run, attempt, outputsOf(attempts), config.dataBucket);
}

/** Submits the job of an attempt; `fresh` as of `SubmitOptions`. */
export async function submitJob(
  ports: Submitting,
  attempt: Attempt,
  spec: JobSpec,
  fresh: boolean,
): Promise<void> {
  const runner = runnerOf(ports, attempt);
  const { jobId } = await runner.submit(spec, { fresh }).catch(async (error: unknown) => {
    if (runner.lookupLags && isRefusal(error)) await noteRefusal(ports, attempt);
    throw error;
  });
  if (runner.namesAreIds) return;
  const submittedAt = isoNow(ports.clock);
  // A quick job's completion may overtake this write; the record is then further on, which is right.
  const { changed, attempt: current } = await ports.runs.changeAttempt(
    attempt,
    { status: 'submitted', jobId, submittedAt },
    { status: ['intent'] },
    { withToken: true },
  );
  if (!changed && current && (await noteUnwanted(ports, current, jobId)))
    ports.log.warn('submitted a job that nobody waits for', { jobName: attempt.jobName, jobId });
}

/**
 * Puts this entry's token on an attempt, with its place in the order of entries: an earlier entry that comes late does not replace the
 * token, and the end of an earlier try leaves the attempt alone. Undefined when the attempt went on meanwhile.
 */
export async function takeOver(
  ports: Pick<Ports, 'runs'>,
  attempt: Attempt,
  { taskToken, redriveCount, retryCount }: Pick<StageEntry, 'taskToken' | 'redriveCount' | 'retryCount'>,
): Promise<Attempt | undefined> {
  const tokenDigest = tokenDigestOf(taskToken);
  const { changed, attempt: mine } = await ports.runs.changeAttempt(
    attempt,
    { taskToken, tokenDigest, redriveCount, retryCount, settledAt: null, abandonedAt: null },
    { status: [attempt.status], maxRedriveCount: redriveCount, maxRetryCount: retryCount },
  );
  return changed && mine ? { ...mine, taskToken } : undefined;
}

/** Whether a job that its backend does not show may exist all the same: its lists may lag behind a submission. */
export function mayStillShowUp(ports: Pick<Ports, 'clock' | 'config'>, attempt: Attempt): boolean {
  const { status, submitBegunAt, submittedAt, intentAt } = attempt;
  return withinGrace(ports, status === 'intent' ? submitBegunAt : (submittedAt ?? intentAt));
}

/**
 * Submits under an intent that is there already. Of all who have read the attempt only one may, and it says so first, on condition
 * that nobody else has since: whoever comes next waits for this submission. False when somebody else was first.
 */
export async function submitAgain(ports: Submitting, attempt: Attempt, spec: JobSpec): Promise<boolean> {
  const { submitBegunAt: before = null } = attempt;
  const submitBegunAt = isoNow(ports.clock);
  const unchanged = { status: ['intent'], submitBegunAt: before } as const;
  const { changed } = await ports.runs.changeAttempt(attempt, { submitBegunAt }, unchanged);
  if (!changed) return false;
  await submitJob(ports, { ...attempt, submitBegunAt }, spec, false);
  return true;
}

/** Goes on with an attempt that is open: adopts its job, settles it, or submits it. */
export async function continueAttempt(
  ports: Submitting,
  attempt: Attempt,
  spec: () => JobSpec,
): Promise<EntryOutcome> {
  const runner = runnerOf(ports, attempt);
  const observed = await runner.find(attempt.jobName);
  const step = stepForOpenAttempt(attempt, observed);
  if (step === 'submit') {
    // If there is a job after all, its events come; if not, the reconciler submits once the grace is over.
    if (runner.lookupLags && mayStillShowUp(ports, attempt)) return 'waiting';
    return (await submitAgain(ports, attempt, spec())) ? 'submitted' : 'waiting';
  }
  if (step === 'adopt' && observed) {
    await recordProgress(ports, attempt, observed);
    return 'adopted';
  }
  if (!observed && mayStillShowUp(ports, attempt)) return 'adopted';
  await recordAndSettle(ports, attempt, observed ?? lostJob(attempt));
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
  await submitJob(ports, attempt, specOf(ports, entry, attempt), true);
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
  let { attempts } = first;
  let run = await leaseOfTry(ports, first.run, first.redriveCount);
  while (run) {
    const held: Run = run;
    const entry: StageEntry = { ...first, run: held, attempts };
    try {
      const outcome = await decideOnce(ports, entry);
      if (outcome) return outcome;
      const read = await readEntry(ports, held.runId);
      attempts = read.attempts;
      run = await leaseOfTry(ports, read.run, first.redriveCount);
    } catch (error) {
      if (!(error instanceof StaleFence)) throw error;
      // Of this run a newer lease may be on record, which another entry has taken.
      const { run: current } = await readEntry(ports, held.runId);
      const isNewer = current.fence > held.fence && current.status === 'running';
      run = isNewer
        ? await leaseOfTry(ports, current, first.redriveCount)
        : await takeLease(ports, current, first.redriveCount);
    }
  }
  return 'superseded';
}

/** Decides from the record as it was read; undefined when the record went on before anything was done. */
async function decideOnce(ports: Needed, entry: StageEntry): Promise<EntryOutcome | undefined> {
  const step = nextStep(ofStage(entry).at(-1), { ...entry, tokenDigest: tokenDigestOf(entry.taskToken) });
  if (step.kind === 'answered' || step.kind === 'superseded') return step.kind;
  if (step.kind === 'new-attempt')
    return (await beginAttempt(ports, entry, step.attempt)) ? 'submitted' : undefined;
  await ports.leases.renew(renewalFor(ports, entry.run));
  const owned = await takeOver(ports, step.attempt, entry);
  if (!owned) return undefined;
  if (step.kind === 'look-up') return continueAttempt(ports, owned, () => specOf(ports, entry, owned));
  if (terminalStatuses.has(owned.status)) await settleAttempt(ports, owned);
  return 'settled';
}
