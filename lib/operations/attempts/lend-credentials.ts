import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { SessionCredentials } from '../../ports/job-sessions.ts';
import type { Ports } from '../../ports/ports.ts';
import type { AttemptKey } from '../../ports/run-store.ts';
import { type Attempt, attemptName, type Run, terminalStatuses } from '../../training/run.ts';
import { stages } from '../../training/stages.ts';

type Needed = Required<Pick<Ports, 'sessions'>> & Pick<Ports, 'runs' | 'log'>;

/** A refusal that says no more than that: a job learns nothing of attempts that are not its own. */
function refusal(): EpsilonError {
  return new EpsilonError('CREDENTIALS_REFUSED', 'This job gets no credentials for this attempt.', {
    exitCode: exitCodes.conflict,
  });
}

/** Whether nobody waits for an attempt any more: it ended, was answered, or was given up with its run. */
function isClosed({ status, settledAt, abandonedAt }: Attempt): boolean {
  return terminalStatuses.has(status) || settledAt !== undefined || abandonedAt !== undefined;
}

/** What an attempt reads: the documents if its stage prepares them, and the outputs of its run. */
function readOf({ documentsUri }: Run, { outputUri, stage, attempt }: Attempt): string[] {
  const ofRun = outputUri.slice(0, -`${stage}/${attempt}/`.length);
  const ofDocuments = Object.values(stages[stage].inputs).includes('documents');
  return ofDocuments ? [ofRun, documentsUri] : [ofRun];
}

/**
 * Credentials for one attempt on Batch, for the task that runs its job and nobody else. `taskId` is the id of the task that asks, as
 * the platform attests it. Errors: `CREDENTIALS_REFUSED` (another's attempt, none, or a closed one), `CREDENTIALS_TOO_EARLY`
 * (retryable: the job's id or task is not on record yet).
 */
export async function lendCredentials(
  { sessions, runs, log }: Needed,
  asked: AttemptKey & { readonly taskId: string },
): Promise<SessionCredentials> {
  const found = await runs.getRunWithAttempts(asked.runId);
  const attempt = found?.attempts.find((one) => one.stage === asked.stage && one.attempt === asked.attempt);
  const why = (reason: string) => {
    log.warn('credentials refused', { runId: asked.runId, taskId: asked.taskId, reason });
    return refusal();
  };
  if (!found || !attempt || attempt.backend !== 'batch') throw why('no such attempt on Batch');
  if (isClosed(attempt)) throw why('the attempt is closed');
  const task = attempt.jobId === undefined ? undefined : await sessions.taskOf(attempt.jobId);
  if (task === undefined)
    throw new EpsilonError('CREDENTIALS_TOO_EARLY', 'The job is not on record as running yet.', {
      exitCode: exitCodes.backend,
      retryable: true,
    });
  if (task !== asked.taskId) throw why('another task runs its job');
  return sessions.begin({
    tenantId: attempt.tenantId,
    name: attemptName(attempt),
    read: readOf(found.run, attempt),
    write: attempt.outputUri,
  });
}
