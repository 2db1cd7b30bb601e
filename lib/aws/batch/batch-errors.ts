import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { Throttled } from '../../errors/run-errors.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';

const statusOf = (error: unknown): number =>
  (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode ?? 0;

/** Errors after which nobody knows whether the call was carried out: no answer, or Batch's own failure. */
function isUnclear(error: unknown): boolean {
  if (error instanceof EpsilonError) return error.code === 'AWS_UNREACHABLE';
  return (
    errorName(error) === 'TimeoutError' || errorName(error) === 'ServerException' || statusOf(error) >= 500
  );
}

/** Batch's words for a job it does not know, or has forgotten. */
export function isUnknownJob(error: unknown): boolean {
  return (
    errorName(error) === 'ClientException' &&
    /(does not exist|not found|no such job)/i.test((error as Error).message)
  );
}

/**
 * Turns Batch's errors into Epsilon's. An error that a retry may resolve is `Throttled`, which the state machines retry with jitter;
 * a refusal says action, resource and Batch's own words (`BATCH_REFUSED`) and is final.
 */
export function explainBatchError(error: unknown, action: string, resource: string): unknown {
  if (isUnclear(error))
    return new Throttled(`${action} on ${resource} got no usable answer.`, error, { unclear: true });
  if (errorName(error) !== 'ClientException') return explainServiceError(error, action, resource);
  const { message } = error as Error;
  // Batch reports a missing permission of the caller as a client's fault, too.
  if (/not authorized to perform/i.test(message))
    return explainServiceError(Object.assign(new Error(message), { name: 'AccessDenied' }), action, resource);
  return new EpsilonError('BATCH_REFUSED', `${action} on ${resource}: ${message}`, {
    exitCode: exitCodes.backend,
    cause: error,
    details: { action, resource },
  });
}
