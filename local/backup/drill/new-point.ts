import type { Point } from '../../../lib/backup/points.ts';
import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';
import type { Clock } from '../../../lib/ports/clock.ts';

/** Milliseconds between two looks. */
const lookMs = 25;

/** Milliseconds that a backup on a busy host is given besides two intervals. */
const graceMs = 60_000;

/** What is looked at, and with what. */
export interface NewPointParts {
  readonly repository: { points(): Promise<readonly Point[]> };
  readonly clock: Clock;
  /** Milliseconds between two backups. */
  readonly everyMs: number;
}

/**
 * Resolves once the repository has a point that is not among `known`: a control plane that is killed before its first backup proves
 * nothing of backups, however busy the host is. Error: `DRILL_FAILED` after two intervals and a minute.
 */
export async function awaitNewPoint(
  { repository, clock, everyMs }: NewPointParts,
  known: ReadonlySet<string>,
): Promise<void> {
  const deadline = clock.now() + 2 * everyMs + graceMs;
  while (!(await repository.points()).some(({ id }) => !known.has(id))) {
    if (clock.now() >= deadline)
      throw new EpsilonError(
        'DRILL_FAILED',
        `the drilled control plane made no backup within ${2 * everyMs + graceMs} ms`,
        { exitCode: exitCodes.backend },
      );
    await new Promise<void>((resolve) => void clock.setTimer(lookMs, resolve));
  }
}
