import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { detailTypes, eventDetail } from '../../event-schemas/detail.ts';
import type { JobRunner } from '../../ports/job-runner.ts';
import type { Ports } from '../../ports/ports.ts';
import { jobSpecOf } from '../../training/attempts/job-spec.ts';
import { tokenDigestOf } from '../../training/attempts/token-digest.ts';
import { type Attempt, type Run, terminalStatuses } from '../../training/run.ts';
import type { StageName } from '../../training/stages.ts';
import { leaseOfTry, runIsOver } from './hold-lease.ts';
import { recordAndSettle } from './settle-attempt.ts';
import { lostJob, makeAttempt, outputsOf, type StageEntry } from './submit-attempt.ts';

type Needed = Pick<
  Ports,
  'runs' | 'leases' | 'jobs' | 'callbacks' | 'imageRecords' | 'config' | 'clock' | 'log' | 'metrics'
>;

/** What somebody else needs to run one attempt's pod, and to report its end. */
export interface AttemptContract {
  readonly attempt: number;
  readonly jobName: string;
  readonly image: string;
  readonly arguments: readonly string[];
  /** Metadata and specification of the pod, as the runner makes it. */
  readonly pod: Readonly<Record<string, unknown>>;
  /** The event "Job State Change" of this attempt, which lacks state, reason, exit code and result. */
  readonly event: Readonly<Record<string, unknown>>;
}

/** A stage that was entered by Airflow: an attempt is open for it, or an earlier one has succeeded. */
export type OpenedStage =
  | { readonly outcome: 'opened'; readonly contract: AttemptContract }
  | { readonly outcome: 'answered' };

function describedBy(jobs: Needed['jobs'], run: Run): Required<Pick<JobRunner, 'podOf'>> {
  const runner = jobs[run.backend];
  if (runner?.podOf) return { podOf: (spec) => runner.podOf?.(spec) ?? {} };
  throw new EpsilonError(
    'BACKEND_UNAVAILABLE',
    `Run ${run.runId} is on the ${run.backend} backend; Airflow starts pods, for which the tenant needs the eks backend.`,
  );
}

function contractOf(ports: Needed, { run, attempts }: StageEntry, attempt: Attempt): AttemptContract {
  const spec = jobSpecOf(run, attempt, outputsOf(attempts), ports.config.dataBucket);
  const { stage, jobName } = attempt;
  return {
    attempt: attempt.attempt,
    jobName,
    image: spec.image,
    arguments: spec.arguments,
    pod: describedBy(ports.jobs, run).podOf(spec),
    event: {
      source: 'epsilon.jobs',
      'detail-type': detailTypes.jobStateChange,
      detail: eventDetail(run, { stage, attempt: attempt.attempt, jobName, jobId: jobName }),
    },
  };
}

function newestOf(attempts: readonly Attempt[], stage: StageName): Attempt | undefined {
  return attempts
    .filter((one) => one.stage === stage)
    .toSorted((a, b) => b.attempt - a.attempt)
    .at(0);
}

/**
 * Opens an attempt whose pod Airflow starts; Epsilon submits nothing. The same try (token) gets its attempt again. An attempt that an
 * earlier try has left open counts as lost: its end was not reported, and the fence and the output prefix of a pod that is still alive
 * are its own. Errors: `RUN_OVER`, `TenantBusy`, `BACKEND_UNAVAILABLE`.
 */
export async function openAttempt(ports: Needed, first: StageEntry): Promise<OpenedStage> {
  const { stage, taskToken, redriveCount } = first;
  describedBy(ports.jobs, first.run);
  const run = await leaseOfTry(ports, first.run, redriveCount);
  if (!run) throw runIsOver(first.run);
  const entry: StageEntry = { ...first, run };
  const newest = newestOf(first.attempts, stage);
  if (newest?.status === 'succeeded') return { outcome: 'answered' };
  if (newest && !terminalStatuses.has(newest.status)) {
    if (newest.tokenDigest === tokenDigestOf(taskToken))
      return { outcome: 'opened', contract: contractOf(ports, entry, newest) };
    await recordAndSettle(ports, newest, lostJob(newest));
  }
  if (newest?.tokenDigest === tokenDigestOf(taskToken))
    throw new EpsilonError(
      'ATTEMPT_OVER',
      `This try of stage ${stage} of ${run.runId} has ended (${newest.status}): the next try opens an attempt.`,
      { exitCode: exitCodes.conflict },
    );
  const attempt = await makeAttempt(ports, entry, (newest?.attempt ?? 0) + 1);
  return { outcome: 'opened', contract: contractOf(ports, entry, attempt) };
}
