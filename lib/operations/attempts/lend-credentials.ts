import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { SessionCredentials, SessionScope } from '../../ports/job-sessions.ts';
import type { Ports } from '../../ports/ports.ts';
import type { AttemptKey } from '../../ports/run-store.ts';
import { type Attempt, attemptName, type Run, terminalStatuses } from '../../training/run.ts';
import { isStage, jobKinds } from '../../training/stages.ts';

type Needed = Required<Pick<Ports, 'sessions'>> & Pick<Ports, 'runs' | 'tenants' | 'config' | 'log'>;

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

/** Prefix of everything that belongs to an attempt's run. */
function prefixOf({ outputUri, stage, attempt }: Attempt): string {
  return outputUri.slice(0, -`${stage}/${attempt}/`.length);
}

/** What an attempt reads: the documents if its stage prepares them, and the outputs of its run. */
function readOf(run: Run | undefined, attempt: Attempt): string[] {
  const ofDocuments = run && Object.values(jobKinds[attempt.stage].inputs).includes('documents');
  return ofDocuments ? [prefixOf(attempt), run.documentsUri] : [prefixOf(attempt)];
}

/** What a job that looks at data may do for one of its tenants: read its documents and its dataset, and write nothing but below a prefix of its own. */
async function scopeOfData(
  { tenants, config }: Needed,
  attempt: Attempt,
  tenantId: string,
): Promise<SessionScope | undefined> {
  const tenant = attempt.profiles?.includes(tenantId) ? await tenants.get(tenantId) : undefined;
  if (!tenant) return undefined;
  const places = [tenant.documentsUri, ...(tenant.dataset ? [tenant.dataset.location] : [])];
  const own = `s3://${config.dataBucket}/${tenantId}/runs/${attempt.runId}/${attempt.stage}/${attempt.attempt}/`;
  return { tenantId, name: attemptName(attempt), read: places, write: own };
}

/** The attempt and its run; of a job that looks at datasets there is none. */
async function findAttempt(
  { runs }: Needed,
  asked: AttemptKey,
): Promise<{ readonly run: Run | undefined; readonly attempt: Attempt | undefined }> {
  const isIt = ({ stage, attempt }: Attempt) => stage === asked.stage && attempt === asked.attempt;
  if (!isStage(asked.stage))
    return { run: undefined, attempt: (await runs.listAttempts(asked.runId)).find(isIt) };
  const found = await runs.getRunWithAttempts(asked.runId);
  return { run: found?.run, attempt: found?.attempts.find(isIt) };
}

/**
 * Credentials for one attempt on Batch, for the task that runs its job and nobody else; with `tenantId` those for the data of one of
 * the tenants that it looks at. `taskId` is the id of the task that asks, as the platform attests it. Errors: `CREDENTIALS_REFUSED` (another's attempt,
 * none, or a closed one), `CREDENTIALS_TOO_EARLY` (retryable: the job's id or task is not on record yet).
 */
export async function lendCredentials(
  ports: Needed,
  asked: AttemptKey & { readonly taskId: string; readonly tenantId?: string | undefined },
): Promise<SessionCredentials> {
  const { sessions, log } = ports;
  const { run, attempt } = await findAttempt(ports, asked);
  const why = (reason: string) => {
    log.warn('credentials refused', { runId: asked.runId, taskId: asked.taskId, reason });
    return refusal();
  };
  if (attempt?.backend !== 'batch' || (isStage(asked.stage) && !run)) throw why('no such attempt on Batch');
  if (isClosed(attempt)) throw why('the attempt is closed');
  const task = attempt.jobId === undefined ? undefined : await sessions.taskOf(attempt.jobId);
  if (task === undefined)
    throw new EpsilonError('CREDENTIALS_TOO_EARLY', 'The job is not on record as running yet.', {
      exitCode: exitCodes.backend,
      retryable: true,
    });
  if (task !== asked.taskId) throw why('another task runs its job');
  if (asked.tenantId === undefined)
    return sessions.begin({
      tenantId: attempt.tenantId,
      name: attemptName(attempt),
      read: readOf(run, attempt),
      write: attempt.outputUri,
    });
  const scope = await scopeOfData(ports, attempt, asked.tenantId);
  if (!scope) throw why('none of its tenants');
  return sessions.begin(scope);
}
