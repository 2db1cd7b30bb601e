import { RollbackAsked } from '../../errors/release-errors.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import {
  type ActKind,
  openActOf,
  type ReleaseEnvironment,
  waysBack,
  withAct,
} from '../../release/release.ts';
import { changeRelease } from './change-release.ts';

/** What is asked for, and the token with which it is answered. */
export interface AskedAct {
  readonly releaseId: string;
  readonly kind: ActKind;
  readonly environment: ReleaseEnvironment;
  readonly taskToken: string;
}

/** Puts an act on record for whoever acts; asked again, the same act gets the new token. `RollbackAsked`. */
export async function askAct(
  ports: Pick<Ports, 'releases' | 'clock'>,
  { releaseId, kind, environment, taskToken }: AskedAct,
): Promise<number> {
  const at = isoNow(ports.clock);
  const sealedToken = await ports.releases.seal(releaseId, taskToken);
  const release = await changeRelease(ports, releaseId, (now) => {
    if (now.rollbackAsked && !waysBack.has(kind)) throw new RollbackAsked(now.rollbackAsked.reason);
    return { ...withAct(now, { kind, environment, at }), sealedToken };
  });
  return openActOf(release)?.number ?? 0;
}
