import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { backupCorrupt } from '../../lib/backup/errors.ts';
import {
  type Manifest,
  manifestText,
  type Piece,
  parseManifest,
  sha256Of,
} from '../../lib/backup/manifest.ts';
import type { Point } from '../../lib/backup/points.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { contentOf } from '../../lib/operations/backup/content.ts';
import type { BackupRepository, Removed, Tenure } from '../../lib/ports/backup/repository.ts';
import { explainFile, syncFolder, writeDurably } from './durable-files.ts';
import { sweepPool } from './sweep-pool.ts';

/** Version of the repository's layout. */
const layoutVersion = 1;

/** Beginning of the names of files that restores make, one for each epoch. */
const claimPrefix = 'epoch-';

const ulid = /^[0-9A-HJKMNP-TV-Z]{26}$/;

function foreign(place: string, why: string): EpsilonError {
  return new EpsilonError('BACKUP_DIR_FOREIGN', `${place} ${why}; name another folder with --backups.`, {
    exitCode: exitCodes.conflict,
  });
}

const overtaken = (place: string, epoch: number) =>
  new EpsilonError(
    'RESTORE_OVERTAKEN',
    `Another restore from ${place} has become epoch ${epoch} meanwhile; run this one again if it is still wanted.`,
    { exitCode: exitCodes.conflict, details: { epoch } },
  );

/** The device of a path, or of the nearest folder above it that is there. */
function deviceOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? found.dev : deviceOf(dirname(path));
}

/**
 * A repository in a folder: `repository.json` says whose it is, `pool/` holds pieces by their checksums, `points/<id>.json` a manifest
 * each. All of it can be read by its owner only.
 */
export class FileBackupRepository implements BackupRepository {
  readonly place: string;
  /** Folders in which something was renamed since the last point. */
  readonly #touched = new Set<string>();
  /** Pieces that no point has yet. */
  readonly #fresh = new Set<string>();

  constructor(folder: string) {
    this.place = resolve(folder);
  }

  isOnDiskOf(path: string): boolean {
    return deviceOf(this.place) === deviceOf(path);
  }

  #marker(): string {
    return join(this.place, 'repository.json');
  }

  async tenure(): Promise<Tenure | undefined> {
    if (!existsSync(this.#marker())) {
      const there = existsSync(this.place);
      if (there && !statSync(this.place).isDirectory()) throw foreign(this.place, 'is a file');
      if (there && readdirSync(this.place).some((name) => name !== 'repository.json.part'))
        throw foreign(this.place, 'is not a backup repository (it has no repository.json)');
      return undefined;
    }
    const read = this.#readMarker();
    if (read.layout !== layoutVersion || typeof read.lineage !== 'string' || !Number.isInteger(read.epoch))
      throw foreign(this.place, `has layout ${String(read.layout)}, this version knows ${layoutVersion}`);
    return { lineage: read.lineage, epoch: Math.max(Number(read.epoch), ...this.#claims()) };
  }

  /** Epochs that restores have claimed. */
  #claims(): number[] {
    return readdirSync(this.place)
      .filter((name) => name.startsWith(claimPrefix))
      .map((name) => Number(name.slice(claimPrefix.length)))
      .filter((epoch) => Number.isSafeInteger(epoch));
  }

  #readMarker(): { readonly layout?: unknown; readonly lineage?: unknown; readonly epoch?: unknown } {
    try {
      const read = JSON.parse(readFileSync(this.#marker(), 'utf8')) as object | null;
      return read ?? {};
    } catch (error) {
      throw error instanceof SyntaxError
        ? backupCorrupt(this.#marker(), 'is damaged')
        : explainFile(error, this.place);
    }
  }

  async #writeTenure(tenure: Tenure): Promise<void> {
    const marker = { product: 'epsilon-backup', layout: layoutVersion, ...tenure };
    await writeDurably(this.#marker(), contentOf(`${JSON.stringify(marker)}\n`));
    syncFolder(this.place);
  }

  async open({ lineage, epoch }: Tenure): Promise<void> {
    const there = await this.tenure();
    if (there && there.lineage !== lineage) throw foreign(this.place, 'keeps backups of other records');
    if (there && there.epoch > epoch)
      throw new EpsilonError(
        'STATE_SUPERSEDED',
        `These records were restored from ${this.place} to another place since (epoch ${there.epoch}, here ${epoch}); only that place goes on.`,
        { exitCode: exitCodes.conflict, details: { epoch, restored: there.epoch } },
      );
    // The marker first: a folder without it belongs to somebody else.
    if (!there || there.epoch < epoch) await this.#writeTenure({ lineage, epoch });
    try {
      for (const name of ['pool', 'points', 'tmp'])
        await mkdir(join(this.place, name), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw explainFile(error, this.place);
    }
    for (const name of readdirSync(join(this.place, 'tmp')))
      rmSync(join(this.place, 'tmp', name), { recursive: true });
  }

  async raiseEpoch({ lineage, epoch }: Tenure): Promise<void> {
    const there = await this.tenure();
    if (there && there.lineage !== lineage) throw foreign(this.place, 'keeps backups of other records');
    const claim = join(this.place, `${claimPrefix}${epoch}`);
    try {
      if (there && there.epoch >= epoch) throw overtaken(this.place, epoch);
      // Of two that claim the same epoch one makes the file.
      closeSync(openSync(claim, 'wx', 0o600));
      syncFolder(this.place);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EEXIST'
        ? overtaken(this.place, epoch)
        : explainFile(error, this.place);
    }
  }

  /** Ids of points, oldest first. */
  async #ids(): Promise<string[]> {
    const folder = join(this.place, 'points');
    if ((await this.tenure()) === undefined || !existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json') && ulid.test(name.slice(0, -5)))
      .map((name) => name.slice(0, -5))
      .sort();
  }

  async points(): Promise<Point[]> {
    return (await this.#ids()).map((id) => this.#point(id));
  }

  async newest(): Promise<Manifest | undefined> {
    for (const id of (await this.#ids()).reverse()) {
      const point = this.#point(id);
      if ('manifest' in point) return point.manifest;
    }
    return undefined;
  }

  #point(id: string): Point {
    const file = join(this.place, 'points', `${id}.json`);
    try {
      const manifest = parseManifest(readFileSync(file, 'utf8'), `Point ${id}`);
      return manifest.id === id
        ? { id, manifest }
        : { id, fault: `Point ${id} has the manifest of ${manifest.id}.` };
    } catch (error) {
      return { id, fault: (error as Error).message };
    }
  }

  #pathOf(sha256: string): string {
    return join(this.place, 'pool', sha256.slice(0, 2), sha256);
  }

  async keep(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Piece> {
    if (!(content instanceof Uint8Array)) return this.#keepStream(content);
    const piece = { sha256: sha256Of(content), bytes: content.length };
    return (await this.has(piece)) ? piece : this.#keepStream(contentOf(content));
  }

  async #keepStream(content: AsyncIterable<Uint8Array>): Promise<Piece> {
    const hash = createHash('sha256');
    let bytes = 0;
    async function* counted() {
      for await (const part of content) {
        hash.update(part);
        bytes += part.length;
        yield part;
      }
    }
    const draft = join(this.place, 'tmp', randomBytes(8).toString('hex'));
    await writeDurably(draft, counted());
    const piece = { sha256: hash.digest('hex'), bytes };
    const path = this.#pathOf(piece.sha256);
    if (await this.has(piece)) await rm(draft);
    else {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await rename(draft, path);
      this.#touched.add(dirname(path)).add(dirname(dirname(path)));
      this.#fresh.add(path);
    }
    return piece;
  }

  async has({ sha256, bytes }: Piece): Promise<boolean> {
    return statSync(this.#pathOf(sha256), { throwIfNoEntry: false })?.size === bytes;
  }

  async *read({ sha256, bytes }: Piece): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let read = 0;
    try {
      for await (const part of createReadStream(this.#pathOf(sha256), { highWaterMark: 262_144 })) {
        hash.update(part as Uint8Array);
        read += (part as Uint8Array).length;
        yield part as Uint8Array;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw backupCorrupt(`The piece ${sha256}`, 'is missing');
    }
    if (read === bytes && hash.digest('hex') === sha256) return;
    this.#setAside(sha256);
    const what = read === bytes ? 'does not match its checksum' : `has ${read} bytes instead of ${bytes}`;
    throw backupCorrupt(`The piece ${sha256}`, what);
  }

  /** Puts damaged content out of the way, so that the next backup that meets the same content keeps it again. */
  #setAside(sha256: string): void {
    try {
      mkdirSync(join(this.place, 'damaged'), { recursive: true, mode: 0o700 });
      renameSync(this.#pathOf(sha256), join(this.place, 'damaged', sha256));
    } catch {
      // Whoever may only read here cannot; the damage is reported all the same.
    }
  }

  async commit(manifest: Manifest): Promise<void> {
    for (const folder of this.#touched) syncFolder(folder);
    this.#touched.clear();
    const folder = join(this.place, 'points');
    const draft = join(this.place, 'tmp', `${manifest.id}.json`);
    await writeDurably(join(folder, `${manifest.id}.json`), contentOf(manifestText(manifest)), draft);
    syncFolder(folder);
    this.#fresh.clear();
  }

  async abandon(): Promise<void> {
    for (const path of this.#fresh) await rm(path, { force: true });
    this.#fresh.clear();
  }

  async noteVerified(id: string): Promise<void> {
    await writeDurably(join(this.place, 'verified', id), contentOf(''));
  }

  async verified(): Promise<ReadonlySet<string>> {
    const folder = join(this.place, 'verified');
    return new Set(existsSync(folder) ? readdirSync(folder) : []);
  }

  async remove(ids: readonly string[]): Promise<Removed> {
    for (const id of ids) {
      await rm(join(this.place, 'points', `${id}.json`), { force: true });
      await rm(join(this.place, 'verified', id), { force: true });
    }
    if (ids.length > 0) syncFolder(join(this.place, 'points'));
    return { points: ids.length, ...(await sweepPool(this)) };
  }
}
