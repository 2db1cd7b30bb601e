import { EpsilonError } from '../errors/epsilon-error.ts';

/** The error of an infrastructure setting that may not be as it is; it names the key and, in its details, what bounds it. */
export function refuse(code: string, key: string, message: string, bound: unknown): EpsilonError {
  return new EpsilonError(code, `Setting "${key}" ${message}.`, { details: { key, bound } });
}
