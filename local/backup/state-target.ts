import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sha256Of } from '../../lib/backup/manifest.ts';
import type { DatabaseFinding } from '../../lib/backup/verification.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { contentOf, digestOf } from '../../lib/operations/backup/content.ts';
import type { RestoreTarget } from '../../lib/ports/backup/target.ts';
import { processesWith, signal } from '../host/processes.ts';
import { freeBytes } from '../state/usage.ts';
import { liveHolder, stateMarker, takeLock } from '../stores/state-directory.ts';
import type { DatabaseName } from './cut-databases.ts';
import { countRows, databaseNames, pointersIn, withDatabase } from './cut-databases.ts';
import { explainFile, syncFolder, syncTree, writeDurably, writeWhole } from './durable-files.ts';
import { type RecoveryParts, recoverState } from './recover-state.ts';

/** Bytes that a restore leaves free on the disk. */
const reserveBytes = 16 * 1_048_576;

/** The nearest folder above a path that is there. */
function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path));
}

function refuse(code: string, message: string): EpsilonError {
  return new EpsilonError(code, message, { exitCode: exitCodes.conflict });
}

/** Reads a database as SQLite finds it. */
async function finding(folder: string, name: DatabaseName): Promise<DatabaseFinding> {
  const file = join(folder, name);
  if (!existsSync(file)) return { name, sha256: '', tables: {}, damage: 'is missing' };
  const { sha256 } = await digestOf(createReadStream(file));
  try {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      const [first] = db.prepare('PRAGMA integrity_check(1)').all();
      const said = String(first?.['integrity_check']);
      return { name, sha256, tables: countRows(db), damage: said === 'ok' ? '' : said };
    } finally {
      db.close();
    }
  } catch (error) {
    return { name, sha256, tables: {}, damage: (error as Error).message };
  }
}

/**
 * A new state directory. Until it is promoted everything is in `<path>.restoring`, which no command takes for a state directory. A
 * restore that is killed leaves that folder, and the next one begins it again.
 */
export class StateTarget implements RestoreTarget {
  readonly place: string;
  readonly #staging: string;
  readonly #parts: RecoveryParts;
  #release: (() => void) | undefined;

  constructor(path: string, parts: RecoveryParts) {
    this.place = resolve(path);
    this.#staging = join(dirname(this.place), `${basename(this.place)}.restoring`);
    this.#parts = parts;
  }

  async check(bytes: number): Promise<void> {
    const pid = existsSync(this.place) ? liveHolder(this.place) : undefined;
    if (pid !== undefined)
      throw refuse(
        'RESTORE_TARGET_LIVE',
        `Process ${pid} is using ${this.place}: a restore never goes onto a state that is in use. Name a new folder with --into.`,
      );
    if (existsSync(this.place) && (!statSync(this.place).isDirectory() || readdirSync(this.place).length > 0))
      throw refuse(
        'RESTORE_TARGET_NOT_EMPTY',
        `${this.place} is not empty: a restore goes into a new folder. Move it away, or name another with --into.${existsSync(join(this.place, 'state.json')) ? '' : ' Jobs that outlive a lost state write there until they end.'}`,
      );
    const free = freeBytes(nearest(this.place));
    if (free < bytes + reserveBytes)
      throw new EpsilonError(
        'DISK_FULL',
        `The restore needs ${bytes} bytes and ${reserveBytes} to spare; ${free} are free at ${nearest(this.place)}. Nothing was written.`,
        { exitCode: exitCodes.backend, details: { needed: bytes + reserveBytes, free } },
      );
  }

  async begin(): Promise<void> {
    try {
      mkdirSync(this.#staging, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw explainFile(error, this.#staging);
    }
    this.#release ??= this.#lock();
    for (const name of readdirSync(this.#staging))
      if (!name.startsWith('lock')) rmSync(join(this.#staging, name), { recursive: true, force: true });
    for (const name of ['objects', 'jobs', 'logs', 'keys'])
      mkdirSync(join(this.#staging, name), { mode: 0o700 });
  }

  #lock(): () => void {
    try {
      return takeLock(this.#staging);
    } catch (error) {
      if (!(error instanceof EpsilonError) || error.code !== 'STATE_LOCKED') throw error;
      throw refuse(
        'RESTORE_UNDER_WAY',
        `Another restore into ${this.place} is under way (process ${error.details['pid']}).`,
      );
    }
  }

  async putDatabase(name: DatabaseName, content: AsyncIterable<Uint8Array>): Promise<void> {
    await writeWhole(join(this.#staging, name), content);
  }

  #objectPath(key: string): string {
    const root = join(this.#staging, 'objects');
    const path = resolve(root, key);
    if (path.startsWith(`${root}/`) && !key.split('/').includes('..')) return path;
    throw new EpsilonError(
      'OBJECT_URI_INVALID',
      `The key ${JSON.stringify(key)} leads out of the object store.`,
    );
  }

  async putObject(key: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const temporary = join(this.#staging, `.part-${sha256Of(key)}`);
    await writeWhole(this.#objectPath(key), content, { temporary });
  }

  async inspect(): Promise<readonly DatabaseFinding[]> {
    return Promise.all(databaseNames.map((name) => finding(this.#staging, name)));
  }

  async pointers(): Promise<readonly string[]> {
    return withDatabase(this.#staging, 'store.db', pointersIn);
  }

  async isReadable(pointer: string): Promise<boolean> {
    try {
      const path = this.#objectPath(pointer.endsWith('/') ? pointer.slice(0, -1) : pointer);
      if (pointer.endsWith('/')) return readdirSync(path).length > 0;
      return (await digestOf(createReadStream(path))).bytes > 0;
    } catch {
      return false;
    }
  }

  read(key: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.#objectPath(key), { highWaterMark: 262_144 });
  }

  recover(request: Parameters<RestoreTarget['recover']>[0]) {
    return recoverState(this.#staging, this.#parts, request);
  }

  async checkSource(source: string): Promise<void> {
    const pid = existsSync(source) ? liveHolder(source) : undefined;
    if (pid === undefined) return;
    throw refuse(
      'RESTORE_SOURCE_LIVE',
      `Process ${pid} still uses ${source}, of which this is a backup: two of them would both train. Stop it first.`,
    );
  }

  async stopJobs(source: string): Promise<number> {
    const left = processesWith(`EPSILON_OBJECTS_ROOT=${join(source, 'objects')}`);
    for (const pid of left) signal(pid, 'SIGKILL');
    return left.length;
  }

  async promote(): Promise<void> {
    // Since it was looked at, somebody may have begun a state there.
    await this.check(0);
    await writeDurably(join(this.#staging, 'state.json'), contentOf(stateMarker));
    await syncTree(this.#staging);
    this.#release?.();
    this.#release = undefined;
    if (existsSync(this.place)) rmdirSync(this.place);
    renameSync(this.#staging, this.place);
    syncFolder(dirname(this.place));
  }

  async close({ keep }: { readonly keep: boolean }): Promise<void> {
    this.#release?.();
    this.#release = undefined;
    if (!keep) rmSync(this.#staging, { recursive: true, force: true });
  }
}
