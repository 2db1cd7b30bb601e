import { inParallel } from '../../concurrency/in-parallel.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { isoNow } from '../../ports/clock.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import type { Ports } from '../../ports/ports.ts';
import { artifactNames } from '../../training/models/candidate.ts';
import type { LiveModel } from '../../training/models/model.ts';

type Needed = Pick<Ports, 'models' | 'objects' | 'locks' | 'clock' | 'config' | 'log'>;

/** One invocation's work on a tenant's fixed names. */
export interface AlignmentRequest {
  readonly tenantId: string;
  /** Who aligns; no two invocations share it. */
  readonly holder: string;
  /** Milliseconds until the invocation is cut off. */
  readonly remainingMs: number;
}

/**
 * What came of it. `aligned`: the fixed names are in line with the live record. `busy`: another invocation is at it, which
 * looks at the live record again when it is done. `no-model`: the tenant has none.
 */
export interface Alignment {
  readonly outcome: 'aligned' | 'busy' | 'no-model';
  readonly modelVersion?: string;
  /** Objects copied and removed by this invocation. */
  readonly copied: number;
  readonly removed: number;
}

/** Objects that are copied side by side. */
const copiesAtOnce = 16;

/** Milliseconds before the cut-off after which no copy is begun. */
const reserveMs = 10_000;

/** Milliseconds that a call may still be carried out after its caller was cut off: until then nobody else writes. */
const lateCallMs = 60_000;

/** An alignment that another promotion has made pointless; the round begins again with the newer record. */
const superseded = Symbol('superseded');

/** What one round works with. */
interface Round {
  readonly live: LiveModel;
  /** Milliseconds since the Unix epoch. */
  readonly until: number;
  /** `s3://bucket/tenant/` */
  readonly root: string;
}

function checkTime({ clock }: Needed, { live, until }: Round): void {
  if (clock.now() < until) return;
  throw new EpsilonError(
    'ALIGNMENT_UNFINISHED',
    `The time did not suffice to copy model ${live.modelVersion} of tenant "${live.tenantId}" to its fixed names; it is tried again.`,
    { exitCode: exitCodes.backend, retryable: true },
  );
}

/** Does the work for every item; when it fails for one, no other is begun, and those under way are over before it throws. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  await inParallel(items, copiesAtOnce, async (item) => {
    if (failed) return;
    try {
      await work(item);
    } catch (error) {
      failed ??= { error };
    }
  });
  if (failed) throw failed.error;
}

/** Name of a file in a URI. */
const nameIn = (uri: string) => uri.slice(uri.lastIndexOf('/') + 1);

/** Every copy that the live record asks for, the manifest apart: it goes last, when what it lists is there. */
function copiesOf(
  { live, root }: Round,
  data: readonly ObjectInfo[],
): { readonly copies: { from: string; to: string; size?: number }[]; readonly manifest: string } {
  const manifest = `${live.dataUri}${artifactNames.manifest}`;
  return {
    manifest,
    copies: [
      { from: live.modelUri, to: `${root}${nameIn(live.modelUri)}` },
      { from: live.indexUri, to: `${root}${artifactNames.index}` },
      ...data
        .filter(({ uri }) => uri !== manifest)
        .map(({ uri, size }) => ({
          from: uri,
          to: `${root}training_data/${uri.slice(live.dataUri.length)}`,
          size,
        })),
    ],
  };
}

async function isStillLive(
  { models }: Needed,
  { tenantId, modelVersion, fence }: LiveModel,
): Promise<boolean> {
  const live = await models.live(tenantId);
  return live?.modelVersion === modelVersion && live.fence === fence;
}

/** Copies what the live record names and removes what is left of an earlier model; returns how much. */
async function copyAll(ports: Needed, round: Round): Promise<Pick<Alignment, 'copied' | 'removed'>> {
  const { objects } = ports;
  const { live, root } = round;
  const data = await Array.fromAsync(objects.list(live.dataUri));
  const { copies, manifest } = copiesOf(round, data);
  await forEach(copies, async ({ from, to, size }) => {
    checkTime(ports, round);
    await objects.copy(from, to, size === undefined ? {} : { size });
  });
  if (!(await isStillLive(ports, live))) throw superseded;
  const kept = new Set([...copies.map(({ to }) => to), `${root}training_data/${artifactNames.manifest}`]);
  await objects.copy(manifest, `${root}training_data/${artifactNames.manifest}`);
  const there = await Array.fromAsync(objects.list(`${root}training_data/`));
  const left = there.filter(({ uri }) => !kept.has(uri));
  await forEach(left, async ({ uri }) => {
    checkTime(ports, round);
    await objects.delete(uri);
  });
  const { fixedNamesAt: _, ...record } = live;
  await objects.put(`${root}model.json`, `${JSON.stringify(record, null, 2)}\n`, {
    contentType: 'application/json',
  });
  return { copied: copies.length + 1, removed: left.length };
}

/** One round under the lock: aligns with the record that is live, and notes it unless another one has become live. */
async function alignOnce(
  ports: Needed,
  asked: AlignmentRequest,
  until: number,
): Promise<Pick<Alignment, 'copied' | 'removed'>> {
  const { models, clock, config } = ports;
  const nothing = { copied: 0, removed: 0 };
  const live = await models.live(asked.tenantId);
  if (!live || live.fixedNamesAt !== undefined) return nothing;
  const round = { live, until, root: `s3://${config.dataBucket}/${live.tenantId}/` };
  checkTime(ports, round);
  try {
    const done = await copyAll(ports, round);
    await models.noteAligned({ ...live, at: isoNow(clock) });
    return done;
  } catch (error) {
    if (error === superseded) return nothing;
    throw error;
  }
}

/**
 * Brings a tenant's fixed names (`<tenant>/training_data/`, `<tenant>/model.bin`, `<tenant>/index.faiss`,
 * `<tenant>/model.json`), for readers that know no versions, in line with the live record, which is the pointer that counts.
 * Safe to repeat and to be cut off anywhere: what is not noted as aligned is aligned by the next one. One invocation at a
 * time writes a tenant's names; it looks at the live record before it begins, before it puts the manifest in place, with the
 * write that notes the alignment, and once more when it has let the next one in, so that a model which is promoted meanwhile
 * is either aligned here or by whom its event calls. Errors: those of the object store, `ALIGNMENT_UNFINISHED`.
 */
export async function alignFixedNames(ports: Needed, asked: AlignmentRequest): Promise<Alignment> {
  const { models, locks, clock, log } = ports;
  const { tenantId, holder, remainingMs } = asked;
  const end = clock.now() + remainingMs;
  const lock = { name: `fixed-names/${tenantId}`, holder };
  const total = { copied: 0, removed: 0 };
  for (;;) {
    const live = await models.live(tenantId);
    if (!live) return { outcome: 'no-model', ...total };
    if (live.fixedNamesAt !== undefined)
      return { outcome: 'aligned', modelVersion: live.modelVersion, ...total };
    const now = isoNow(clock);
    const expiresAt = new Date(end + lateCallMs).toISOString();
    if (!(await locks.tryLock({ ...lock, now, expiresAt }))) {
      log.info('fixed names are being aligned already', { tenantId, modelVersion: live.modelVersion });
      return { outcome: 'busy', modelVersion: live.modelVersion, ...total };
    }
    try {
      const { copied, removed } = await alignOnce(ports, asked, end - reserveMs);
      total.copied += copied;
      total.removed += removed;
    } finally {
      await locks.unlock(lock);
    }
  }
}
