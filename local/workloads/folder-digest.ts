import { createHash, type Hash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

/** Names of ignore files, the first that is there counts; both have the syntax of git. */
const ignoreFiles = ['.epsilonignore', '.gitignore'] as const;

/** What programs leave beside the code they run: never part of it. */
const neverCode = ['.git', '.epsilon', '__pycache__/', '*.pyc', 'node_modules/', '.venv/', 'venv/'] as const;

/** Most files, and bytes, that a working directory may have: more is data that belongs elsewhere. */
const mostFiles = 20_000;
const mostBytes = 1_073_741_824;

interface Entry {
  readonly path: string;
  readonly kind: 'file' | 'program' | 'link';
  readonly size: number;
  /** What changes when the content does. */
  readonly stamp: string;
}

/** SHA-256 of files that were read before, by path: a file is read again only when its time, size or place has changed. */
const known = new Map<string, { readonly stamp: string; readonly digest: string }>();

function rulesOf(folder: string): Ignore {
  const rules = ignore().add([...neverCode]);
  for (const name of ignoreFiles) {
    try {
      return rules.add(readFileSync(join(folder, name), 'utf8'));
    } catch {
      // The next one, if there is one.
    }
  }
  return rules;
}

function tooLarge(folder: string): EpsilonError {
  return new EpsilonError(
    'WORKLOAD_FOLDER_TOO_LARGE',
    `${folder} has more than ${mostFiles} files or 1 GiB; leave out what is not code by .epsilonignore.`,
  );
}

function entriesOf(folder: string): Entry[] {
  const rules = rulesOf(folder);
  const found: Entry[] = [];
  let bytes = 0;
  const visit = (below: string) => {
    for (const { name } of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? name : `${below}/${name}`;
      const stat = lstatSync(join(folder, path), { throwIfNoEntry: false });
      // Gone since the folder was read, as the draft of an editor is.
      if (!stat) continue;
      if (rules.ignores(stat.isDirectory() ? `${path}/` : path)) continue;
      if (stat.isDirectory()) visit(path);
      else if (stat.isFile() || stat.isSymbolicLink()) {
        const kind = stat.isSymbolicLink() ? 'link' : (stat.mode & 0o100) === 0 ? 'file' : 'program';
        const stamp = `${stat.mtimeMs} ${stat.ctimeMs} ${stat.size} ${stat.ino}`;
        found.push({ path, kind, size: stat.size, stamp });
        bytes += stat.size;
        if (found.length > mostFiles || bytes > mostBytes) throw tooLarge(folder);
      }
    }
  };
  visit('');
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** SHA-256 of a file's content; read only when it has changed since it was read last. */
export function fileDigest(path: string, stamp: string): string {
  const before = known.get(path);
  if (before?.stamp === stamp) return before.digest;
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  known.set(path, { stamp, digest });
  return digest;
}

/** What a file holds; undefined when it is gone meanwhile. */
function contentOf(path: string, read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new EpsilonError(
      'WORKLOAD_UNREADABLE',
      `${path} cannot be read (${code}); give its user the right, or leave it out by .epsilonignore.`,
      { cause: error },
    );
  }
}

/**
 * Adds path, kind and content of everything in a folder that its ignore file does not leave out; a link counts by where it leads.
 * Errors: `WORKLOAD_FOLDER_TOO_LARGE`, `WORKLOAD_UNREADABLE`.
 */
export function addFolder(hash: Hash, folder: string): void {
  for (const { path, kind, stamp } of entriesOf(folder)) {
    const full = join(folder, path);
    const content = contentOf(full, () => (kind === 'link' ? readlinkSync(full) : fileDigest(full, stamp)));
    if (content !== undefined) hash.update(`${kind}\0${path}\0${content}\0`);
  }
}
