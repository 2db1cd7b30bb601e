import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Release } from '../../release/release.ts';
import { changeRelease } from './change-release.ts';

/** Characters of a reason that are kept. */
const longestReason = 1_000;

/** Puts on record how a release ended and lets the next one begin. Repeating it changes nothing and notifies again. */
export async function closeRelease(
  ports: Pick<Ports, 'releases' | 'clock' | 'notifier'>,
  { releaseId, outcome, because }: Required<Pick<Release, 'releaseId' | 'outcome' | 'because'>>,
): Promise<Release> {
  const finishedAt = isoNow(ports.clock);
  const reason = outcome === 'kept' ? {} : { because: because.slice(0, longestReason) };
  const { sealedToken: _, ...release } = await changeRelease(ports, releaseId, (now) => {
    if (now.outcome !== undefined) return now;
    const { sealedToken: __, ...rest } = now;
    return { ...rest, finishedAt, outcome, ...reason };
  });
  await ports.releases.end(releaseId);
  if (release.outcome === 'rolledBack')
    await ports.notifier.notify({
      subject: `Release ${releaseId} was rolled back`,
      body: `Commit ${release.commit} is not live: ${release.because}. "epsilon release show ${releaseId}" shows what was done.`,
      severity: 'critical',
    });
  return release;
}
