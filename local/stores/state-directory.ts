import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { isAlive, processStartTime } from '../host/processes.ts';
import { explainSqlite } from './database.ts';

/** Version of the directory's layout. */
const layoutVersion = 1;

const folders = ['objects', 'jobs', 'logs', 'keys'] as const;
const ours: ReadonlySet<string> = new Set(['lock', 'lock.new', 'lock.gate', ...folders]);

/** An opened state directory. */
export interface StateDirectory {
  readonly path: string;
  readonly databases: string;
  readonly objects: string;
  readonly jobs: string;
  readonly logs: string;
  readonly socket: string;
  readonly tokenFile: string;
  readonly deadLetters: string;
  /** Gives the writer's lock back. */
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly start: string;
}

/** Folder by folder: Node's own recursive mkdir never comes back where the kernel says ENOENT (below /proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may make the same one now.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function explain(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOENT' || code === 'ENOTDIR') {
    return new EpsilonError(
      'STATE_DIR_UNWRITABLE',
      `The state directory ${path} cannot be written; choose another with --state-dir.`,
      { cause: error },
    );
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EpsilonError('DISK_FULL', `The disk is full; nothing was changed in ${path}.`, {
      exitCode: exitCodes.backend,
      cause: error,
    });
  }
  return explainSqlite(error, join(path, 'lock.gate'));
}

function checkLayout(path: string): boolean {
  if (!existsSync(path)) return false;
  if (!statSync(path).isDirectory())
    throw new EpsilonError(
      'STATE_DIR_NOT_A_FOLDER',
      `${path} is a file; choose another state directory with --state-dir.`,
    );
  const marker = join(path, 'state.json');
  if (!existsSync(marker)) {
    // A process killed while it made the directory leaves only files that this code names.
    if (readdirSync(path).every((name) => ours.has(name.replace(/\.stale-\d+$/, '')))) return false;
    throw new EpsilonError(
      'STATE_DIR_FOREIGN',
      `${path} is not a state directory (it has no state.json); choose another state directory with --state-dir.`,
    );
  }
  let layout: unknown;
  try {
    layout = (JSON.parse(readFileSync(marker, 'utf8')) as { layout?: unknown }).layout;
  } catch (error) {
    throw new EpsilonError('STATE_DIR_CORRUPT', `${marker} is damaged: ${(error as Error).message}.`, {
      exitCode: exitCodes.backend,
      cause: error,
    });
  }
  if (layout !== layoutVersion) {
    throw new EpsilonError(
      'STATE_DIR_NEWER',
      `${path} has layout ${String(layout)}, this version knows ${layoutVersion}; use the version that wrote it.`,
    );
  }
  return true;
}

/** What may not even be looked at. */
function readable<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new EpsilonError(
      'STATE_DIR_UNREADABLE',
      `The state directory ${path} may not be read; it belongs to somebody else.`,
      { cause: error },
    );
  }
}

function holderOf(lock: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

/** The process that writes a state directory now, if one does. */
export function liveHolder(path: string): number | undefined {
  const holder = holderOf(join(path, 'lock'));
  return holder && isAlive(holder.pid, holder.start) ? holder.pid : undefined;
}

/**
 * Runs `work` while no other process does, by a lock of the kernel, which ends with the process that holds it. Looking at
 * a lock file and replacing it are two steps; between them another process could have taken over what was stale.
 */
function alone<T>(path: string, work: () => T): T {
  const file = join(path, 'lock.gate');
  // Made here, so that a directory that cannot be written says so as everywhere.
  closeSync(openSync(file, 'a', 0o600));
  const gate = new DatabaseSync(file, { timeout: 2_000 });
  try {
    gate.exec('BEGIN EXCLUSIVE');
    return work();
  } finally {
    gate.close();
  }
}

/** Content of the file that makes a folder a state directory. */
export const stateMarker = `${JSON.stringify({ product: 'epsilon', layout: layoutVersion })}\n`;

/** Takes the writer's lock. A lock whose holder is dead, a zombie, or another process with the same pid is taken over. */
export function takeLock(path: string): () => void {
  const lock = join(path, 'lock');
  const mine = `${JSON.stringify({ pid: process.pid, start: processStartTime(process.pid) ?? '' })}\n`;
  alone(path, () => {
    const pid = liveHolder(path);
    if (pid !== undefined) {
      throw new EpsilonError(
        'STATE_LOCKED',
        `Process ${pid} is using ${path}. Stop it, or choose another state directory with --state-dir.`,
        {
          exitCode: exitCodes.conflict,
          details: { pid },
        },
      );
    }
    // Renamed into place, so that nobody ever reads half a lock.
    writeFileSync(`${lock}.new`, mine, { mode: 0o600 });
    renameSync(`${lock}.new`, lock);
  });
  return () => {
    if (holderOf(lock)?.pid === process.pid) rmSync(lock, { force: true });
  };
}

/**
 * Opens a state directory: for writing it is made when absent and locked, for reading it must be there and needs no lock.
 * Errors: `STATE_LOCKED`, `STATE_DIR_ABSENT`, `_NOT_A_FOLDER`, `_FOREIGN`, `_NEWER`, `_CORRUPT`, `_UNREADABLE`, `_UNWRITABLE`, `DISK_FULL`.
 */
export function openStateDirectory(given: string, mode: 'write' | 'read'): StateDirectory {
  const path = resolve(given);
  const known = readable(path, () => checkLayout(path));
  if (mode === 'read' && !known) {
    throw new EpsilonError(
      'STATE_DIR_ABSENT',
      `There is no state at ${path} yet: run something first (epsilon demo), or name it with --state-dir.`,
    );
  }
  let release = () => {};
  if (mode === 'write') {
    try {
      makeFolder(path);
      release = takeLock(path);
      if (!known) writeFileSync(join(path, 'state.json'), stateMarker, { mode: 0o600 });
      for (const folder of ['objects', 'jobs', 'logs', 'keys'])
        mkdirSync(join(path, folder), { recursive: true, mode: 0o700 });
    } catch (error) {
      release();
      throw explain(error, path);
    }
  }
  return {
    path,
    databases: path,
    objects: join(path, 'objects'),
    jobs: join(path, 'jobs'),
    logs: join(path, 'logs'),
    socket: join(path, 'control.sock'),
    tokenFile: join(path, 'token'),
    deadLetters: join(path, 'dead-letters.jsonl'),
    release,
  };
}
