import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Ports of the deployed service. Of the adapters only the object store is written (README, "What runs and what does
 * not yet"): until the others are, every deployed function refuses its first invocation with this sentence.
 */
export async function wireAws(): Promise<Ports> {
  throw new EpsilonError(
    'AWS_NOT_WIRED',
    'The stores on AWS are not part of this version; the service runs in the embedded runtime only.',
    {
      exitCode: exitCodes.backend,
    },
  );
}
