import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { actFailed, RollbackAsked } from '../../errors/release-errors.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { SealedRelease } from '../../ports/release/release-records.ts';
import { openActOf, type Release, type ReleaseAct, waysBack, withAnswer } from '../../release/release.ts';
import { changeRelease, requireRelease } from './change-release.ts';

type Needed = Pick<Ports, 'releases' | 'callbacks' | 'clock'>;

/** Names an act of a release. */
export interface ActRef {
  readonly releaseId: string;
  readonly act: number;
}

/** How an act ended, by whoever did it. */
export interface ActAnswer extends ActRef {
  readonly outcome: 'done' | 'failed';
  readonly said: string;
}

/** An act that waits, with its token. */
interface Waiting {
  readonly act: ReleaseAct;
  readonly sealedToken: string | undefined;
  readonly taskToken: string;
}

async function waitingIn({ releases }: Needed, release: SealedRelease): Promise<Waiting | undefined> {
  const act = openActOf(release);
  const taskToken = act && (await releases.open(release));
  return act && taskToken !== undefined ? { act, taskToken, sealedToken: release.sealedToken } : undefined;
}

/** The act while it waits. `ACT_NOT_OPEN`. */
async function requireWaiting(ports: Needed, { releaseId, act }: ActRef): Promise<Waiting> {
  const waiting = await waitingIn(ports, await requireRelease(ports, releaseId));
  if (waiting?.act.number === act) return waiting;
  const open = waiting && `; act ${waiting.act.number} (${waiting.act.kind} ${waiting.act.environment}) does`;
  throw new EpsilonError(
    'ACT_NOT_OPEN',
    `Act ${act} of release ${releaseId} waits for no answer${open ?? ''}.`,
    { exitCode: exitCodes.conflict },
  );
}

/** Puts an answer on record; the token goes, unless the machine has asked for the next act meanwhile. */
async function record(
  ports: Needed,
  releaseId: string,
  { act, sealedToken }: Waiting,
  answer: Pick<ActAnswer, 'outcome' | 'said'>,
): Promise<Release> {
  const given = { answeredAt: isoNow(ports.clock), ...answer };
  const { sealedToken: _, ...release } = await changeRelease(ports, releaseId, (now) => {
    const { sealedToken: token, ...rest } = withAnswer(now, act.number, given) as SealedRelease;
    return token === undefined || token === sealedToken ? rest : { ...rest, sealedToken: token };
  });
  return release;
}

/**
 * Answers the act that waits: the machine continues. An answer that died before it was put on record is given again and found
 * delivered. `RELEASE_NOT_FOUND`, `ACT_NOT_OPEN`.
 */
export async function answerAct(ports: Needed, { outcome, said, ...ref }: ActAnswer): Promise<Release> {
  const waiting = await requireWaiting(ports, ref);
  await (outcome === 'done'
    ? ports.callbacks.succeed(waiting.taskToken, { act: ref.act, said })
    : ports.callbacks.fail(waiting.taskToken, { error: actFailed, cause: said }));
  return record(ports, ref.releaseId, waiting, { outcome, said });
}

/** Says that whoever does the act still does; false when the machine waits for it no longer. */
export async function beatAct(ports: Needed, ref: ActRef): Promise<boolean> {
  try {
    const { taskToken } = await requireWaiting(ports, ref);
    return (await ports.callbacks.heartbeat(taskToken)) === 'delivered';
  } catch (error) {
    if (error instanceof EpsilonError && error.code === 'ACT_NOT_OPEN') return false;
    throw error;
  }
}

/**
 * Has a release that is under way taken back: the act that waits is given up, and none is asked for but the way back.
 * `RELEASE_NOT_FOUND`, `RELEASE_OVER`.
 */
export async function askRollback(
  ports: Needed,
  { releaseId, reason }: { readonly releaseId: string; readonly reason: string },
): Promise<Release> {
  const { outcome } = await requireRelease(ports, releaseId);
  if (outcome !== undefined)
    throw new EpsilonError('RELEASE_OVER', `Release ${releaseId} is over: ${outcome}.`, {
      exitCode: exitCodes.conflict,
    });
  const at = isoNow(ports.clock);
  const asked = await changeRelease(ports, releaseId, (now) =>
    now.rollbackAsked ? now : { ...now, rollbackAsked: { at, reason } },
  );
  const waiting = await waitingIn(ports, asked);
  if (!waiting || waysBack.has(waiting.act.kind)) {
    const { sealedToken: _, ...release } = asked;
    return release;
  }
  const { name, message } = new RollbackAsked(reason);
  await ports.callbacks.fail(waiting.taskToken, { error: name, cause: message });
  return record(ports, releaseId, waiting, { outcome: 'failed', said: `given up: ${reason}` });
}
