import { ReleaseUnderWay } from '../../errors/release-errors.ts';
import { ConditionFailed } from '../../errors/store-errors.ts';
import { type Clock, isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { lastKept, type Release, type Released } from '../../release/release.ts';

/** Whether an execution still goes on; one that is not there does not. */
async function goesOn({ workflows }: Pick<Ports, 'workflows'>, executionArn: string): Promise<boolean> {
  try {
    return (await workflows.describe(executionArn)).status === 'RUNNING';
  } catch (error) {
    if ((error as { code?: string }).code === 'EXECUTION_NOT_FOUND') return false;
    throw error;
  }
}

/** Takes the place of the release under way: of one that was stopped half-way, too, but of none whose execution goes on. */
async function takeTurn(ports: Pick<Ports, 'releases' | 'workflows'>, releaseId: string): Promise<void> {
  const other = await ports.releases.begin({ releaseId });
  if (other === releaseId) return;
  const record = await ports.releases.get(other);
  if (record && (await goesOn(ports, record.executionArn))) throw new ReleaseUnderWay(other);
  const now = await ports.releases.begin({ releaseId, instead: other });
  if (now !== releaseId) throw new ReleaseUnderWay(now);
}

/** Puts a release on record as the only one under way. Repeating it finds it there. `ReleaseUnderWay`. */
export async function openRelease(
  ports: Pick<Ports, 'releases' | 'workflows'> & { readonly clock: Clock },
  asked: Released & { readonly executionArn: string; readonly takesBack?: string | undefined },
): Promise<Release> {
  const { releaseId, commit, images, executionArn, takesBack } = asked;
  await takeTurn(ports, releaseId);
  const there = await ports.releases.get(releaseId);
  if (there) return there;
  const replaces = lastKept(await ports.releases.list(), takesBack);
  const release: Release = {
    releaseId,
    version: 0,
    executionArn,
    commit,
    images,
    ...(replaces ? { replaces } : {}),
    ...(takesBack === undefined ? {} : { takesBack }),
    startedAt: isoNow(ports.clock),
    acts: [],
  };
  try {
    await ports.releases.put(release, 0);
    return { ...release, version: 1 };
  } catch (error) {
    const written = error instanceof ConditionFailed ? await ports.releases.get(releaseId) : undefined;
    if (written) return written;
    throw error;
  }
}
