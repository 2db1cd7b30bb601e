import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';

/** Name of the variable that holds a field of the deployment: `tableName` is in `EPSILON_AWS_TABLE_NAME`. */
export const variableOf = (field: string): string =>
  `EPSILON_AWS_${field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/**
 * A resource that a function needs and that not every place has: what only restores has no queues. `DEPLOYMENT_INCOMPLETE` naming the
 * variable.
 */
export function factOf<D extends object, F extends keyof D & string>(
  deployment: D,
  field: F,
): NonNullable<D[F]> {
  const found = deployment[field];
  if (found !== undefined) return found as NonNullable<D[F]>;
  throw new EpsilonError('DEPLOYMENT_INCOMPLETE', `${variableOf(field)} is missing.`, {
    exitCode: exitCodes.badInput,
    details: { field },
  });
}
