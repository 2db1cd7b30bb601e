import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { Throttled } from '../../errors/run-errors.ts';

/** Names under which AWS services ask to slow down. */
const throttling: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'KMSThrottlingException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'SlowDown',
]);

/** Names under which they refuse for lack of permission. */
const denied: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'UnauthorizedOperation',
  'NotAuthorizedException',
  'AuthorizationErrorException',
  'KMSAccessDeniedException',
]);

/** Name of an SDK error. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** True when a service asks to slow down. */
export function isThrottling(error: unknown): boolean {
  return throttling.has(errorName(error));
}

/** True when a service refused for lack of permission; some answer without a body, so that only the status says so. */
export function isDenied(error: unknown): boolean {
  const { $metadata = {} } = error as { $metadata?: { httpStatusCode?: number; requestId?: string } };
  const name = errorName(error);
  const bare = (name === '403' || name === 'Unknown') && $metadata.requestId !== undefined;
  return denied.has(name) || (bare && $metadata.httpStatusCode === 403);
}

/**
 * Turns what every service may answer into Epsilon's errors: `Throttled`, or `AWS_ACCESS_DENIED` naming action and resource.
 * Everything else is passed on as it is.
 */
export function explainServiceError(error: unknown, action: string, resource: string): unknown {
  const name = errorName(error);
  if (throttling.has(name))
    return new Throttled(`${action} on ${resource}: the service throttles requests.`, error);
  if (!isDenied(error)) return error;
  return new EpsilonError('AWS_ACCESS_DENIED', `${action} on ${resource} is not allowed to this role.`, {
    exitCode: exitCodes.backend,
    cause: error,
    details: { action, resource },
  });
}

/** Does a call and turns errors common to all services into Epsilon's; `own` first turns those of this service. */
export async function explained<T>(
  action: string,
  resource: string,
  call: () => Promise<T>,
  own: (error: unknown) => unknown = (error) => error,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw explainServiceError(own(error), action, resource);
  }
}
