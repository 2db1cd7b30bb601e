import { isPointFault } from '../../backup/errors.ts';
import { bytesOf, type ListedObject, type Manifest, parseList } from '../../backup/manifest.ts';
import { keyFinder } from '../../backup/pointers.ts';
import { choosePoints, type Wanted } from '../../backup/points.ts';
import {
  approvalDigest,
  isWhole,
  judgeFindings,
  requireVerified,
  type Verification,
} from '../../backup/verification.ts';
import { inParallel } from '../../concurrency/in-parallel.ts';
import { untilFault } from '../../concurrency/until-fault.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { BackupRepository } from '../../ports/backup/repository.ts';
import type { Recovered, RestoreTarget } from '../../ports/backup/target.ts';
import type { Clock } from '../../ports/clock.ts';
import { digestOf } from './content.ts';
import { textOf } from './run-backup.ts';

/** What a restore is made with. */
export interface RestoreParts {
  readonly repository: BackupRepository;
  readonly target: RestoreTarget;
  readonly clock: Clock;
  /** Hears how many bytes of how many are restored. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A point that was put, verified and recovered, and not promoted yet. */
export interface Prepared {
  readonly manifest: Manifest;
  readonly verification: Verification;
  readonly recovered: Recovered;
  /** Epoch that the restored state has. */
  readonly epoch: number;
  /** What has to be approved. */
  readonly digest: string;
  /** Newer points that could not be used, with why. */
  readonly passedOver: readonly { readonly id: string; readonly why: string }[];
}

/** Objects that are copied or read side by side. */
const atOnce = 4;

async function* databaseContent(
  repository: BackupRepository,
  pieces: Manifest['databases'][number]['pieces'],
): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield* repository.read(piece);
}

async function putDatabases({ repository, target }: RestoreParts, manifest: Manifest): Promise<void> {
  for (const { name, pieces } of manifest.databases)
    await target.putDatabase(name, databaseContent(repository, pieces));
}

async function putObjects(
  { repository, target, onProgress }: RestoreParts,
  manifest: Manifest,
  objects: readonly ListedObject[],
): Promise<void> {
  const total = bytesOf(manifest);
  let done = total - manifest.objects.bytes;
  await untilFault(objects, atOnce, async (object) => {
    await target.putObject(object.key, repository.read(object));
    done += object.bytes;
    onProgress?.(done, total);
  });
}

type ObjectReader = (object: ListedObject) => AsyncIterable<Uint8Array>;

/** Reads every object to its end; what differs from the list, and how much was read. */
async function checkObjects(objects: readonly ListedObject[], read: ObjectReader) {
  const faults: string[] = [];
  let [bytesRead, count] = [0, 0];
  await inParallel(objects, atOnce, async (object) => {
    try {
      const { sha256, bytes } = await digestOf(read(object));
      bytesRead += bytes;
      if (sha256 === object.sha256) count += 1;
      else faults.push(`object ${object.key} does not match its checksum`);
    } catch (error) {
      faults.push(`object ${object.key} cannot be read: ${(error as Error).message}`);
    }
  });
  return { faults: faults.sort(), bytesRead, count };
}

async function verify(
  { target }: Pick<RestoreParts, 'target'>,
  manifest: Manifest,
  objects: readonly ListedObject[],
  read: ObjectReader,
  resolves: (pointer: string) => Promise<boolean>,
): Promise<Verification> {
  const databases = await target.inspect();
  const whole = databases.every(isWhole);
  const pointers = whole ? await target.pointers() : [];
  const danglingPointers: string[] = [];
  for (const pointer of pointers) if (!(await resolves(pointer))) danglingPointers.push(pointer);
  const checked = await checkObjects(objects, read);
  const bytes = whole ? manifest.databases.reduce((sum, one) => sum + one.bytes, 0) : 0;
  return judgeFindings(manifest, {
    databases,
    objects: checked.count,
    bytesRead: checked.bytesRead + bytes,
    objectFaults: checked.faults,
    pointers: pointers.length,
    danglingPointers,
  });
}

/** Refuses a point of other records than the repository's. */
function requireOwn(manifest: Manifest, lineage: string | undefined): void {
  if (manifest.lineage === lineage) return;
  throw new EpsilonError(
    'BACKUP_FOREIGN',
    `Point ${manifest.id} belongs to other records (${manifest.lineage}) than this repository (${lineage ?? 'none'}).`,
    { exitCode: exitCodes.conflict },
  );
}

async function putPoint(parts: RestoreParts, manifest: Manifest): Promise<Verification> {
  const { repository, target } = parts;
  await target.begin();
  const list = parseList(await textOf(repository, manifest.objects.list), manifest.id);
  await putDatabases(parts, manifest);
  await putObjects(parts, manifest, list);
  const verification = await verify(
    parts,
    manifest,
    list,
    ({ key }) => target.read(key),
    (pointer) => target.isReadable(pointer),
  );
  requireVerified(manifest.id, verification);
  return verification;
}

/**
 * Puts the wanted point into the target, reads all of it back, and ends what was under way at the point. A point that is damaged is
 * passed over for the one before it, unless it was named by its id. Errors: those of `choosePoints` and of the target,
 * `BACKUP_FOREIGN`, `RESTORE_UNVERIFIED`, `BACKUP_CORRUPT`.
 */
export async function preparePoint(parts: RestoreParts, wanted: Wanted, actor: string): Promise<Prepared> {
  const { repository, target, clock } = parts;
  const tenure = await repository.tenure();
  const candidates = choosePoints(await repository.points(), wanted, clock.now());
  const passedOver: { id: string; why: string }[] = [];
  await target.check(Math.max(...candidates.map(bytesOf)));
  for (const [index, manifest] of candidates.entries()) {
    try {
      requireOwn(manifest, tenure?.lineage);
      const verification = await putPoint(parts, manifest);
      const epoch = Math.max(tenure?.epoch ?? 0, manifest.epoch) + 1;
      const recovered = await target.recover({ manifest, epoch, actor });
      const digest = approvalDigest(manifest, target.place, verification);
      return { manifest, verification, recovered, epoch, digest, passedOver };
    } catch (error) {
      if (!isPointFault(error) || index === candidates.length - 1) throw error;
      passedOver.push({ id: manifest.id, why: error.message });
    }
  }
  throw new EpsilonError('BACKUP_NOT_FOUND', 'There is no point to restore.');
}

/**
 * Makes what was prepared the state that goes on: the old one is fenced first, then the new one can be started. Throws
 * `RESTORE_NOT_APPROVED` when what is approved is not what was prepared.
 */
export async function promotePoint(
  { repository, target }: Pick<RestoreParts, 'repository' | 'target'>,
  prepared: Prepared,
  approved: string,
): Promise<void> {
  const { digest, manifest, epoch } = prepared;
  if (approved !== digest)
    throw new EpsilonError(
      'RESTORE_NOT_APPROVED',
      `--approve ${approved} is not the digest of this restore, which is ${digest}: the point, the target or what was found differs.`,
      { exitCode: exitCodes.conflict, details: { digest, approved } },
    );
  await target.checkSource(manifest.source);
  await repository.raiseEpoch({ lineage: manifest.lineage, epoch });
  await target.stopJobs(manifest.source);
  await target.promote();
}

/** Reads a point where it is kept: databases as databases, objects to their last byte. `scratch` holds the databases meanwhile. */
export async function verifyPoint(
  { repository, target }: Pick<RestoreParts, 'repository' | 'target'>,
  manifest: Manifest,
): Promise<Verification> {
  requireOwn(manifest, (await repository.tenure())?.lineage);
  await target.begin();
  const list = parseList(await textOf(repository, manifest.objects.list), manifest.id);
  await putDatabases({ repository, target } as RestoreParts, manifest);
  const isThere = keyFinder(list.map(({ key }) => key));
  return verify(
    { target },
    manifest,
    list,
    (object) => repository.read(object),
    async (one) => isThere(one),
  );
}
