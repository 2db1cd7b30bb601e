import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';

/** A port that exists only where the settings say `recovery: { mode: on }`; `RECOVERY_OFF` elsewhere. */
export function required<T>(port: T | undefined): T {
  if (port !== undefined) return port;
  throw new EpsilonError(
    'RECOVERY_OFF',
    'The settings say "recovery: { mode: off }": nothing is backed up on AWS.',
    {
      exitCode: exitCodes.conflict,
    },
  );
}
