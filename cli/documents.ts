import { accessSync, constants, existsSync, globSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import picomatch from 'picomatch';
import { EpsilonError } from '../lib/errors/epsilon-error.ts';

/** Larger files are left out by the data stage too: a document, and an object that holds many. */
const largest = { document: 16 * 1_048_576, records: 512 * 1_048_576 } as const;

function fits({ name, size }: DocumentFile): boolean {
  return size <= (/\.(csv|jsonl|ndjson)$/i.test(name) ? largest.records : largest.document);
}

/** One file of a tenant's documents. */
export interface DocumentFile {
  readonly path: string;
  /** Place below the folder, with slashes. */
  readonly name: string;
  readonly size: number;
  /** Milliseconds since the Unix epoch. */
  readonly modifiedAt: number;
}

/** A tenant's documents on this machine. */
export interface DocumentFiles {
  readonly files: readonly DocumentFile[];
  /** Files that are too large to be documents. */
  readonly skipped: number;
  /** One file was named, not a folder or a glob. */
  readonly single: boolean;
}

interface Place {
  readonly path: string;
  readonly folder: string;
  readonly isGlob: boolean;
}

/** A local folder, file or glob that is there and may be read. Errors: `DOCUMENTS_NOT_FOUND`, `_EMPTY`, `_UNREADABLE`. */
function placeOf(given: string): Place {
  if (given.trim() === '') throw new EpsilonError('USAGE', '--documents is empty.');
  const path = resolve(given.startsWith('file://') ? fileURLToPath(given) : given);
  const isGlob = !existsSync(path) && picomatch.scan(path).isGlob;
  const folder = isGlob ? picomatch.scan(path).base : path;
  if (!existsSync(folder)) throw new EpsilonError('DOCUMENTS_NOT_FOUND', `There is nothing at ${folder}.`);
  try {
    accessSync(folder, constants.R_OK);
    if (!isGlob && statSync(folder).isDirectory() && readdirSync(folder).length === 0) {
      throw new EpsilonError('DOCUMENTS_EMPTY', `The folder ${folder} is empty.`);
    }
  } catch (error) {
    if (error instanceof EpsilonError) throw error;
    throw new EpsilonError('DOCUMENTS_UNREADABLE', `${folder} may not be read.`, { cause: error });
  }
  return { path, folder, isGlob };
}

/** Where documents are, as a URI; a local folder, file or glob must be there and readable. */
export function documentsUriOf(given: string): string {
  if (/^(s3|file):\/\//.test(given)) return given;
  // Characters of a glob stay readable in the URI.
  return decodeURI(pathToFileURL(placeOf(given).path).href);
}

/** Files and links to files inside the folder; links that lead out of it are left alone, as the data stage does. */
function isInside(root: string, path: string): boolean {
  const target = realpathSync(path, { encoding: 'utf8' });
  return target.startsWith(root + sep) && statSync(target).isFile();
}

function pathsOf({ path, folder, isGlob }: Place): { readonly root: string; readonly paths: string[] } {
  if (!isGlob && statSync(path).isFile()) return { root: dirname(path), paths: [path] };
  const root = realpathSync(folder);
  const paths = isGlob
    ? globSync(relative(folder, path), { cwd: root }).map((name) => join(root, name))
    : readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => join(root, name));
  return { root, paths: paths.filter((each) => existsSync(each) && isInside(root, each)).sort() };
}

/** The files of a tenant's documents, as the data stage would read them from this machine. */
export function documentFiles(given: string): DocumentFiles {
  const place = placeOf(given);
  const { root, paths } = pathsOf(place);
  const all = paths.map((path) => {
    const { size, mtimeMs } = statSync(path);
    const name = relative(root, path).split(sep).join('/') || basename(path);
    return { path, name, size, modifiedAt: mtimeMs };
  });
  const files = all.filter(fits);
  if (files.length === 0) throw new EpsilonError('DOCUMENTS_EMPTY', `There is no document at ${place.path}.`);
  return { files, skipped: all.length - files.length, single: !place.isGlob && root !== place.folder };
}
