import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folder of PostgreSQL's programs on Debian. */
const programs = '/usr/lib/postgresql/15/bin';

const idOf = (flag: string) =>
  Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim());

/** Who runs PostgreSQL: it refuses root. */
export const runsAs: { readonly uid: number; readonly gid: number } | Record<string, never> =
  process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};

/** Gives a file or folder to whom PostgreSQL runs as. */
export function own(path: string): void {
  if (runsAs.uid !== undefined) chownSync(path, runsAs.uid, runsAs.gid);
}

/** A program of PostgreSQL by its name. */
export const program = (name: string) => join(programs, name);

/** A folder that PostgreSQL may write. */
export function folderFor(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  own(path);
  return path;
}

/** A fresh folder below which a whole drill takes place. */
export function freshPlace(): string {
  return folderFor(mkdtempSync(join(tmpdir(), 'epsilon-postgres-')));
}

/** How a program ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end as the user of PostgreSQL. */
export function run(file: string, args: readonly string[], input?: string, timeout = 600_000): Ran {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    ...runsAs,
    cwd: tmpdir(),
    timeout,
    encoding: 'utf8',
    maxBuffer: 256 * 1_048_576,
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
    ...(input === undefined ? {} : { input }),
  });
  return { code: status ?? -1, out: stdout ?? '', err: error ? String(error) : (stderr ?? '') };
}

/** Runs a program that has to succeed. */
export function demand(file: string, args: readonly string[], input?: string): string {
  const { code, out, err } = run(file, args, input);
  if (code === 0) return out;
  throw new Error(`${file} ${args.slice(0, 4).join(' ')} ended with ${code}: ${err.trim().slice(-800)}`);
}
