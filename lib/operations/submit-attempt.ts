import { createHash } from 'node:crypto';
import { EpsilonError } from '../errors/epsilon-error.ts';
import { ConditionFailed } from '../errors/store-errors.ts';
import type { JobRunner } from '../ports/job-runner.ts';
import type { Ports } from '../ports/ports.ts';
import { chooseCapacity } from '../training/capacity.ts';
import type { JobObservation } from '../training/job.ts';
import { jobNameOf } from '../training/job-name.ts';
import { jobSpecOf, type StageOutputs, stagePrefix } from '../training/job-spec.ts';
import { type Attempt, type Run, terminalStatuses } from '../training/run.ts';
import { type StageName, stages } from '../training/stages.ts';
import { nextStep, stepForOpenAttempt } from '../training/submission.ts';
import { finishAttempt, recordProgress, settleAttempt } from './settle-attempt.ts';

/** One entry of a stage state. */
export interface StageEntry {
  readonly run: Run;
  readonly stage: StageName;
  readonly taskToken: string;
}

/** What an entry did; told to the log and the history, never needed by the machine. */
export type EntryOutcome = 'submitted' | 'adopted' | 'settled' | 'lost' | 'answered';

/** SHA-256 of a task token, the only form in which it may be compared or kept in the open. */
export function tokenDigestOf(taskToken: string): string {
  return createHash('sha256').update(taskToken).digest('hex');
}

function runnerOf(ports: Ports, attempt: Attempt): JobRunner {
  const runner = ports.jobs.get(attempt.backend);
  if (runner) return runner;
  throw new EpsilonError(
    'BACKEND_UNAVAILABLE',
    `The ${attempt.backend} backend of ${attempt.jobName} is not available here.`,
  );
}

/** Output prefixes of the stages of a run that succeeded. */
export async function outputsOf({ runs }: Pick<Ports, 'runs'>, runId: string): Promise<StageOutputs> {
  const attempts = await runs.listAttempts(runId);
  return Object.fromEntries(
    attempts
      .filter((attempt) => attempt.status === 'succeeded')
      .map((attempt) => [attempt.stage, attempt.outputUri]),
  );
}

async function makeAttempt(ports: Ports, entry: StageEntry, number: number): Promise<Attempt> {
  const { run, stage, taskToken } = entry;
  const earlier = (await ports.runs.listAttempts(run.runId)).filter((attempt) => attempt.stage === stage);
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
    ...chooseCapacity(earlier, {
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
    intentAt: new Date(ports.clock.now()).toISOString(),
  };
  await ports.runs.createAttempt(attempt);
  return attempt;
}

async function submit(ports: Ports, run: Run, attempt: Attempt): Promise<void> {
  const spec = jobSpecOf(run, attempt, await outputsOf(ports, run.runId), ports.config.dataBucket);
  const { jobId } = await runnerOf(ports, attempt).submit(spec);
  try {
    const submittedAt = new Date(ports.clock.now()).toISOString();
    await ports.runs.updateAttempt(
      attempt,
      { status: 'submitted', jobId, submittedAt },
      { status: ['intent'] },
    );
  } catch (error) {
    // A quick job's completion may overtake this write; the record is then further on, which is right.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

/** Puts this entry's token on an attempt that is not settled; undefined when it was settled meanwhile. */
async function takeOver(ports: Ports, attempt: Attempt, taskToken: string): Promise<Attempt | undefined> {
  try {
    return await ports.runs.updateAttempt(
      attempt,
      { taskToken, tokenDigest: tokenDigestOf(taskToken), settledAt: null },
      { status: [attempt.status] },
    );
  } catch (error) {
    if (error instanceof ConditionFailed) return undefined;
    throw error;
  }
}

async function withinGrace(ports: Ports, attempt: Attempt): Promise<boolean> {
  const since = Date.parse(attempt.submittedAt ?? attempt.intentAt);
  return ports.clock.now() - since < ports.config.training.lookupGraceSeconds * 1000;
}

async function continueAttempt(ports: Ports, run: Run, attempt: Attempt): Promise<EntryOutcome> {
  const observed = await runnerOf(ports, attempt).find(attempt.jobName);
  const step = stepForOpenAttempt(attempt, observed);
  if (step === 'submit') {
    await submit(ports, run, attempt);
    return 'submitted';
  }
  if (step === 'adopt' && observed) {
    await recordProgress(ports, attempt, observed);
    return 'adopted';
  }
  // A backend's list may lag behind its submit: within the grace period the reconciler decides, not this entry.
  if (!observed && (await withinGrace(ports, attempt))) return 'adopted';
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

/**
 * One entry of a stage: adopts, settles or submits so that the stage never has two live jobs, whatever crashed before.
 * Attempt identity is the record's; a lost race is decided again from the new record.
 */
export async function enterStage(ports: Ports, entry: StageEntry): Promise<EntryOutcome> {
  for (;;) {
    const latest = await ports.runs.latestAttempt(entry.run.runId, entry.stage);
    const step = nextStep(latest, tokenDigestOf(entry.taskToken));
    if (step.kind === 'answered') return 'answered';
    if (step.kind === 'new-attempt') {
      try {
        const attempt = await makeAttempt(ports, entry, step.attempt);
        await submit(ports, entry.run, attempt);
        return 'submitted';
      } catch (error) {
        if (error instanceof ConditionFailed) continue;
        throw error;
      }
    }
    const owned = await takeOver(ports, step.attempt, entry.taskToken);
    if (!owned) continue;
    if (step.kind === 'look-up') return continueAttempt(ports, entry.run, owned);
    if (terminalStatuses.has(owned.status)) await settleAttempt(ports, owned);
    return 'settled';
  }
}
