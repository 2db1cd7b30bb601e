import { constants, type Dirent } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import picomatch from 'picomatch';
import type { DocumentFile, Found } from '../documents/found.ts';
import { faultOf, refusal } from '../documents/read-file.ts';

/** A file of this computer that may hold documents. */
export interface LocalDocument extends DocumentFile {
  /** Its path in bytes: not every name is UTF-8. */
  readonly path: Buffer;
}

/** A file, or something that is left out. */
export type Listed = LocalDocument | Extract<Found, { readonly skipped: unknown }>;

/** Bytes of a piece when a file is read. */
const pieceBytes = 262_144;

const slash = Buffer.from(sep);
const joined = (folder: Buffer, name: Buffer) => Buffer.concat([folder, slash, name]);

/** A name for people and records: what is not UTF-8 in it is written `\xE9`. */
function labelOf(name: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    return [...name]
      .map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase()}`))
      .join('');
  }
}

/** A pipe that took the file's place would never open without O_NONBLOCK. */
async function* piecesOf(path: Buffer): AsyncGenerator<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  yield* file.createReadStream({ highWaterMark: pieceBytes });
}

function documentAt(path: Buffer, source: string, size: number, modifiedAt: number): LocalDocument {
  return { path, source, size, modifiedAt, open: () => piecesOf(path) };
}

/** A folder that is being walked. */
interface Walk {
  readonly root: Buffer;
  /** Whether a file below the folder, or a whole folder, is asked for. */
  readonly wants: (source: string) => boolean;
  readonly hides: (source: string) => boolean;
}

async function fileAt({ root }: Walk, entry: Dirent<Buffer>, path: Buffer, source: string): Promise<Listed> {
  try {
    if (entry.isSymbolicLink()) {
      const target = await realpath(path, 'buffer').catch(() => undefined);
      const inside = target?.subarray(0, root.length + 1).equals(Buffer.concat([root, slash]));
      if (!inside || !(await stat(path)).isFile()) return { source, skipped: 'link' };
    } else if (!entry.isFile()) return { source, skipped: 'special' };
    const { size, mtimeMs } = await stat(path);
    return documentAt(path, source, size, mtimeMs);
  } catch (error) {
    const fault = faultOf(error);
    if (!fault) throw error;
    return { source, ...fault };
  }
}

/** Files below a folder in the order of object keys; a folder below it that may not be read is reported and left out. */
async function* walk(it: Walk, folder: Buffer, prefix: string): AsyncGenerator<Listed> {
  let entries: Dirent<Buffer>[];
  try {
    entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    const fault = prefix === '' ? undefined : faultOf(error);
    if (!fault) throw error;
    yield { source: prefix, ...fault };
    return;
  }
  const named = entries.map((entry) => ({
    entry,
    key: entry.isDirectory() ? Buffer.concat([entry.name, Buffer.from('/')]) : entry.name,
  }));
  named.sort((a, b) => Buffer.compare(a.key, b.key));
  for (const { entry, key } of named) {
    const source = prefix + labelOf(key);
    if (it.hides(source)) yield { source, skipped: 'hidden' };
    else if (entry.isDirectory()) yield* walk(it, joined(folder, entry.name), source);
    else if (it.wants(source)) yield await fileAt(it, entry, joined(folder, entry.name), source);
  }
}

const isHidden = (source: string) => /(^|\/)\.[^/]+\/?$/.test(source);

/** A place on this computer that holds documents. */
export interface DocumentPlace {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'glob';
  /** Folder that names are relative to; without links in it. */
  readonly folder: string;
  readonly pattern?: string;
}

/** Splits a glob into the longest folder that is there and the pattern below it: brackets may be part of a name. */
async function splitGlob(path: string): Promise<{ readonly folder: string; readonly pattern: string }> {
  const parts = path.split('/');
  for (let count = parts.length - 1; count > 1; count -= 1) {
    const folder = parts.slice(0, count).join('/');
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory()) return { folder, pattern: parts.slice(count).join('/') };
  }
  return { folder: '/', pattern: parts.slice(1).join('/') };
}

/** What an error at the place itself means. */
function explain(error: unknown, path: string): unknown {
  const { code, path: where = path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return refusal('DOCUMENTS_NOT_FOUND', `There are no documents at ${path}.`, error);
  if (code === 'EACCES' || code === 'EPERM')
    return refusal('DOCUMENTS_UNREADABLE', `The documents at ${where} may not be read.`, error);
  if (code === 'ELOOP' || code === 'ENAMETOOLONG')
    return refusal('DOCUMENTS_NOT_FOUND', `${path} cannot be a place of documents (${code}).`, error);
  return error;
}

/**
 * Finds a folder, a file or, where nothing has this very name, a glob. Errors: `DOCUMENTS_NOT_FOUND`, `DOCUMENTS_UNREADABLE`.
 */
export async function findPlace(path: string): Promise<DocumentPlace> {
  try {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? undefined : Promise.reject(error),
    );
    if (found?.isFile()) return { path, kind: 'file', folder: dirname(path) };
    if (found && !found.isDirectory())
      throw refusal('DOCUMENTS_NOT_FOUND', `${path} is neither a file nor a folder.`);
    if (found) return { path, kind: 'folder', folder: await realpath(path) };
    const { folder, pattern } = await splitGlob(path);
    if (!picomatch.scan(pattern).isGlob) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    return { path, kind: 'glob', folder: await realpath(folder), pattern };
  } catch (error) {
    throw explain(error, path);
  }
}

/** The files at a place, and what is left out there; names that begin with "." unless they are asked for. */
export async function* listDocuments(place: DocumentPlace): AsyncGenerator<Listed> {
  const { path, kind, folder, pattern = '' } = place;
  try {
    if (kind === 'file') {
      const { size, mtimeMs } = await stat(path);
      yield documentAt(Buffer.from(path), path.slice(path.lastIndexOf('/') + 1), size, mtimeMs);
      return;
    }
    const root = Buffer.from(folder);
    if (kind === 'folder') {
      yield* walk({ root, wants: () => true, hides: isHidden }, root, '');
      return;
    }
    const matches = picomatch(pattern);
    // A pattern may ask for hidden folders: there the whole path decides.
    const asksHidden = /(^|\/)\./.test(pattern);
    const hides = (source: string) => !asksHidden && isHidden(source) && source.endsWith('/');
    for await (const listed of walk({ root, wants: matches, hides }, root, ''))
      if (!('skipped' in listed) || listed.skipped !== 'hidden') yield listed;
  } catch (error) {
    throw explain(error, path);
  }
}
