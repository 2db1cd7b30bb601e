import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { Throttled } from '../errors/run-errors.ts';
import { jobNamespace } from './job-labels.ts';

/** The parts of the client's exception that are read; a stream's refusal has the same. */
interface ApiFailure {
  readonly code: number;
  readonly body?: unknown;
}

function isApiFailure(error: unknown): error is ApiFailure {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
}

/** HTTP status of an answer that the API server refused with; 0 for everything else. */
export function statusOf(error: unknown): number {
  return isApiFailure(error) ? error.code : 0;
}

/** The server's own sentence, from the Status object it answers with. */
function messageOf(error: unknown): string {
  const body = isApiFailure(error) ? error.body : undefined;
  try {
    const status: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
  } catch {
    // Not every proxy in between answers in JSON.
  }
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}

/** A call, as RBAC names it. */
export interface KubernetesCall {
  readonly verb: 'create' | 'get' | 'list' | 'watch' | 'patch' | 'update';
  /** `jobs.batch`, `pods`, `nodes`, `leases.coordination.k8s.io`. */
  readonly resource: string;
  /** Where it was asked; that of jobs when absent. */
  readonly namespace?: string;
}

function refusal(code: string, message: string, call: KubernetesCall, cause: unknown): EpsilonError {
  return new EpsilonError(code, message, { exitCode: exitCodes.backend, cause, details: { ...call } });
}

/**
 * Turns what the API server may answer into Epsilon's errors: `Throttled` (asked to slow down, overloaded, over a quota, or not
 * answering at all: the state machine tries again with jitter), `KUBERNETES_ACCESS_DENIED` naming verb and resource,
 * `KUBERNETES_UNAUTHENTICATED`, `KUBERNETES_REFUSED` with the server's reason. Everything else is passed on as it is.
 */
export function explainKubernetesError(error: unknown, call: KubernetesCall): unknown {
  if (error instanceof EpsilonError) return error;
  const what = `${call.verb} ${call.resource}`;
  const status = statusOf(error);
  const said = messageOf(error);
  if (status === 429 || status >= 500 || (status === 403 && said.includes('exceeded quota')))
    return new Throttled(`Kubernetes, ${what}: ${said}`, error);
  if (status === 403)
    return refusal(
      'KUBERNETES_ACCESS_DENIED',
      `Kubernetes does not allow this role to ${what} in ${call.namespace ?? jobNamespace}: ${said}`,
      call,
      error,
    );
  if (status === 401)
    return refusal(
      'KUBERNETES_UNAUTHENTICATED',
      `Kubernetes does not know this role (${what}): it needs an access entry for the cluster.`,
      call,
      error,
    );
  if (status === 400 || status === 413 || status === 422)
    return refusal('KUBERNETES_REFUSED', `Kubernetes refuses to ${what}: ${said}`, call, error);
  return error;
}
