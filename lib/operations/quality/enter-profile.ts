import { ConditionFailed } from '../../errors/store-errors.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { orderFile, orderInput, type ProfileJob, profilePrefix } from '../../quality/datasets/jobs.ts';
import { spanIdOfAttempt, traceparentOf } from '../../tracing/ids.ts';
import { chooseCapacity } from '../../training/attempts/capacity.ts';
import type { JobSpec } from '../../training/attempts/job.ts';
import { contractVersion } from '../../training/attempts/job-contract.ts';
import { jobNameOf } from '../../training/attempts/job-name.ts';
import { nextStep } from '../../training/attempts/submission.ts';
import { tokenDigestOf } from '../../training/attempts/token-digest.ts';
import { nightTraceId } from '../../training/nights/night-input.ts';
import { type Attempt, terminalStatuses } from '../../training/run.ts';
import { jobKinds } from '../../training/stages.ts';
import { settleAttempt } from '../attempts/settle-attempt.ts';
import { continueAttempt, type EntryOutcome, submitJob, takeOver } from '../attempts/submit-attempt.ts';

type Needed = Pick<
  Ports,
  'runs' | 'jobs' | 'callbacks' | 'imageRecords' | 'config' | 'clock' | 'log' | 'metrics'
>;

/** One entry of the state ProfileDataset. */
export interface ProfileEntryOf {
  readonly job: ProfileJob;
  readonly taskToken: string;
  readonly execution: { readonly id: string; readonly redriveCount: number };
  /** Of the state, in this try of the execution. */
  readonly retryCount: number;
}

const kind = jobKinds.profile;

/** It runs ahead of the night's jobs, which wait for what it finds. */
const priority = 100;

async function makeAttempt(ports: Needed, entry: ProfileEntryOf, before: readonly Attempt[]) {
  const { job, taskToken, execution } = entry;
  const now = isoNow(ports.clock);
  const of = { tenantId: job.owner, runId: job.runId, stage: 'profile', attempt: before.length + 1 } as const;
  const attempt: Attempt = {
    ...of,
    logicalDate: now.slice(0, 10),
    traceId: nightTraceId(execution.id),
    status: 'intent',
    jobName: jobNameOf(of, job.backend),
    backend: job.backend,
    ...chooseCapacity(before, {
      spotAllowed: true,
      preemptionsBeforeOnDemand: ports.config.training.preemptionsBeforeOnDemand,
    }),
    image: job.image,
    resources: kind.resources,
    fence: 0,
    executionArn: execution.id,
    redriveCount: execution.redriveCount,
    retryCount: entry.retryCount,
    outputUri: `${profilePrefix(ports.config.dataBucket, job)}profile/${of.attempt}/`,
    profiles: job.tenants,
    taskToken,
    tokenDigest: tokenDigestOf(taskToken),
    intentAt: now,
    submitBegunAt: now,
  };
  await ports.runs.createAttempt(attempt);
  return attempt;
}

/** What the job is told: the job contract, with the order as its one input. */
function specOf({ config }: Pick<Ports, 'config'>, { job }: ProfileEntryOf, attempt: Attempt): JobSpec {
  const { jobName, runId, stage, attempt: number, outputUri, image = '', capacity } = attempt;
  const order = `${profilePrefix(config.dataBucket, job)}${orderFile}`;
  return {
    jobName,
    tenantId: job.owner,
    runId,
    logicalDate: attempt.logicalDate,
    traceId: attempt.traceId,
    stage,
    attempt: number,
    image,
    arguments: ['--tenant-id', job.owner, '--profile'],
    environment: {
      EPSILON_CONTRACT: String(contractVersion),
      EPSILON_RUN_ID: runId,
      EPSILON_TRAINING_STAGE: stage,
      EPSILON_ATTEMPT: String(number),
      EPSILON_INPUTS: JSON.stringify({ [orderInput]: order }),
      EPSILON_OUTPUT: outputUri,
      EPSILON_FENCE: '0',
      EPSILON_SEED: '0',
      EPSILON_TRACEPARENT: traceparentOf({ traceId: attempt.traceId, spanId: spanIdOfAttempt(attempt) }),
      EPSILON_CPUS: String(kind.resources.cpu),
    },
    outputUri,
    resources: kind.resources,
    capacity,
    timeoutSeconds: kind.timeoutSeconds,
    priority,
  };
}

/**
 * One entry of the state that looks at datasets: adopts, settles or submits, so that there are never two live jobs. There is no run and no
 * lease: the job reads data and writes counts, and a second one would write the same.
 */
export async function enterProfile(ports: Needed, entry: ProfileEntryOf): Promise<EntryOutcome> {
  const { job, taskToken, retryCount } = entry;
  const { redriveCount } = entry.execution;
  for (;;) {
    const before = await ports.runs.listAttempts(job.runId);
    const mark = { redriveCount, retryCount, tokenDigest: tokenDigestOf(taskToken) };
    const step = nextStep(before.at(-1), mark);
    if (step.kind === 'answered' || step.kind === 'superseded') return step.kind;
    if (step.kind === 'new-attempt') {
      try {
        const attempt = await makeAttempt(ports, entry, before);
        await submitJob(ports, attempt, specOf(ports, entry, attempt), true);
        return 'submitted';
      } catch (error) {
        // Another entry was faster: it is decided again from what that one wrote.
        if (error instanceof ConditionFailed) continue;
        throw error;
      }
    }
    const owned = await takeOver(ports, step.attempt, { taskToken, redriveCount, retryCount });
    if (!owned) continue;
    if (step.kind === 'look-up') return continueAttempt(ports, owned, () => specOf(ports, entry, owned));
    if (terminalStatuses.has(owned.status)) await settleAttempt(ports, owned);
    return 'settled';
  }
}
