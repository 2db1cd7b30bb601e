import { createReadStream } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import picomatch from 'picomatch';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { largestDocument, type RawDocument, type RecordKind, recordsOf } from './records.ts';

/** Objects come whole: a JSONL or CSV object larger than this is left out. 512 MiB, a quarter of the stage's memory. */
const largestObject = 512 * 1_048_576;

function explain(error: unknown, path: string): unknown {
  const { code, path: where = path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new JobFailure(jobExit.noInput, 'DOCUMENTS_NOT_FOUND', `There are no documents at ${path}.`);
  if (code === 'EACCES' || code === 'EPERM')
    return new JobFailure(
      jobExit.permission,
      'DOCUMENTS_UNREADABLE',
      `The documents at ${where} may not be read.`,
    );
  return error;
}

/** Files below a folder in order of their paths; links that lead out of it are left alone. */
async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found.push(path);
    else if (entry.isSymbolicLink()) {
      const target = await realpath(path).catch(() => undefined);
      const inside = target?.startsWith(root + sep) && (await stat(target)).isFile();
      if (inside) found.push(path);
    }
  }
  return found.sort();
}

/** Splits a glob into the folder it starts from and the pattern below it. */
function splitGlob(path: string): { readonly folder: string; readonly pattern: string } {
  const { base, glob } = picomatch.scan(path);
  return { folder: base === '' ? '/' : base, pattern: glob };
}

/** Files of a folder, a glob or one file. The root has no links in it: paths are told relative to it. */
async function listFiles(
  path: string,
): Promise<{ readonly root: string; readonly files: readonly string[] }> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : Promise.reject(error),
  );
  if (found?.isFile()) return { root: dirname(path), files: [path] };
  if (found) {
    const root = await realpath(path);
    return { root, files: await filesBelow(root) };
  }
  if (!picomatch.scan(path).isGlob) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  const { folder, pattern } = splitGlob(path);
  const root = await realpath(folder);
  const matches = picomatch(pattern, { dot: false });
  return {
    root,
    files: (await filesBelow(root)).filter((file) => matches(relative(root, file).split(sep).join('/'))),
  };
}

/** JSONL and CSV files hold many documents, everything else is one. */
function kindOf(source: string): RecordKind | undefined {
  const extension = extname(source).toLowerCase();
  if (extension === '.csv') return 'csv';
  return extension === '.jsonl' || extension === '.ndjson' ? 'jsonl' : undefined;
}

async function* fromFiles(path: string): AsyncGenerator<RawDocument> {
  try {
    const { root, files } = await listFiles(path);
    for (const file of files) {
      const source = relative(root, file) || basename(file);
      const kind = kindOf(source);
      if (kind) yield* recordsOf(kind, source, createReadStream(file));
      else if ((await stat(file)).size > largestDocument) yield { source };
      else yield { source, bytes: await readFile(file) };
    }
  } catch (error) {
    throw explain(error, path);
  }
}

async function* fromObject(
  objects: ObjectStore,
  { uri, source, size }: { readonly uri: string; readonly source: string; readonly size: number },
): AsyncGenerator<RawDocument> {
  const kind = kindOf(source);
  if (size > (kind ? largestObject : largestDocument)) yield { source };
  else if (kind) yield* recordsOf(kind, source, [await objects.get(uri)]);
  else yield { source, bytes: await objects.get(uri) };
}

async function* fromObjects(objects: ObjectStore, uri: string): AsyncGenerator<RawDocument> {
  if (uri.endsWith('/')) {
    for await (const { uri: each, size } of objects.list(uri))
      yield* fromObject(objects, { uri: each, source: each.slice(uri.length), size });
    return;
  }
  const found = await objects.head(uri);
  if (!found)
    throw new JobFailure(jobExit.noInput, 'DOCUMENTS_NOT_FOUND', `There are no documents at ${uri}.`);
  yield* fromObject(objects, { uri, source: basename(uri), size: found.size });
}

/** Documents of a tenant: a folder, a glob or a file (`file://`), or a prefix or object (`s3://`). */
export function readDocuments(objects: ObjectStore, uri: string): AsyncGenerator<RawDocument> {
  if (!uri.startsWith('file:')) return fromObjects(objects, uri);
  // A glob's characters are kept as they are: only %XX is decoded.
  return fromFiles(fileURLToPath(uri.replace(/[?#]/g, (character) => encodeURIComponent(character))));
}
