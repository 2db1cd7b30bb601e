import { Throttled } from '../../errors/run-errors.ts';
import { ConditionFailed, NotFound } from '../../errors/store-errors.ts';
import type { Ports } from '../../ports/ports.ts';
import type { SealedRelease } from '../../ports/release/release-records.ts';

/** Times that a record is read again because somebody else wrote it. */
const rounds = 5;

/** A release that is on record. `RELEASE_NOT_FOUND`. */
export async function requireRelease(
  { releases }: Pick<Ports, 'releases'>,
  releaseId: string,
): Promise<SealedRelease> {
  const found = await releases.get(releaseId);
  if (found) return found;
  throw new NotFound(
    'RELEASE_NOT_FOUND',
    `There is no release "${releaseId}"; epsilon release list shows them.`,
  );
}

/** Writes what `change` makes of a release as it is now; whoever else writes is written over by nobody. */
export async function changeRelease(
  ports: Pick<Ports, 'releases'>,
  releaseId: string,
  change: (release: SealedRelease) => SealedRelease,
): Promise<SealedRelease> {
  for (let round = 1; ; round += 1) {
    const before = await requireRelease(ports, releaseId);
    const next = change(before);
    if (next === before) return before;
    try {
      await ports.releases.put(next, before.version);
      return { ...next, version: before.version + 1 };
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (round >= rounds) throw new Throttled(`Release ${releaseId} keeps changing; try again.`);
    }
  }
}
