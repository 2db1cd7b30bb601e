import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { PortsPart } from '../base.ts';

/** The image resolver on AWS is not part of this version: the first invocation says so. */
export const part = (): PortsPart => {
  throw new EpsilonError('AWS_NOT_WIRED', 'The image resolver on AWS is not part of this version.', {
    exitCode: exitCodes.backend,
  });
};
