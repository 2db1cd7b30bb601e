import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse as parseCsv } from 'csv-parse';
import picomatch from 'picomatch';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import { JobFailure, jobExit } from '../job/failure.ts';

/** A document as it was found. */
export interface RawDocument {
  readonly source: string;
  readonly bytes: Uint8Array;
}

/** Larger files are left out: they are data, not documents. */
const largestFile = 16 * 1_048_576;

function explain(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new JobFailure(jobExit.noInput, 'DOCUMENTS_NOT_FOUND', `There are no documents at ${path}.`);
  if (code === 'EACCES' || code === 'EPERM')
    return new JobFailure(
      jobExit.permission,
      'DOCUMENTS_UNREADABLE',
      `The documents at ${path} may not be read.`,
    );
  return error;
}

/** Files below a folder in order of their paths; links that lead out of it are left alone. */
async function filesBelow(folder: string): Promise<string[]> {
  const root = await realpath(folder);
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

async function listFiles(
  path: string,
): Promise<{ readonly root: string; readonly files: readonly string[] }> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : Promise.reject(error),
  );
  if (found?.isFile()) return { root: dirname(path), files: [path] };
  if (found) return { root: path, files: await filesBelow(path) };
  if (!picomatch.scan(path).isGlob) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  const { folder, pattern } = splitGlob(path);
  const matches = picomatch(pattern, { dot: false });
  return {
    root: folder,
    files: (await filesBelow(folder)).filter((file) => matches(relative(folder, file).split(sep).join('/'))),
  };
}

async function* fromFiles(path: string): AsyncGenerator<RawDocument> {
  try {
    const { root, files } = await listFiles(path);
    for (const file of files) {
      if ((await stat(file)).size <= largestFile)
        yield* split({ source: relative(root, file) || basename(file), bytes: await readFile(file) });
    }
  } catch (error) {
    throw explain(error, path);
  }
}

async function* fromObjects(objects: ObjectStore, uri: string): AsyncGenerator<RawDocument> {
  if (!uri.endsWith('/')) {
    try {
      yield* split({ source: basename(uri), bytes: await objects.get(uri) });
    } catch (error) {
      if (!(error instanceof EpsilonError) || error.code !== 'OBJECT_NOT_FOUND') throw error;
      throw new JobFailure(jobExit.noInput, 'DOCUMENTS_NOT_FOUND', `There are no documents at ${uri}.`);
    }
    return;
  }
  for await (const { uri: each, size } of objects.list(uri)) {
    if (size <= largestFile) yield* split({ source: each.slice(uri.length), bytes: await objects.get(each) });
  }
}

/** JSONL and CSV files hold many documents, everything else is one. */
async function* split({ source, bytes }: RawDocument): AsyncGenerator<RawDocument> {
  const kind = extname(source).toLowerCase();
  if (kind === '.jsonl' || kind === '.ndjson') yield* fromJsonLines(source, bytes);
  else if (kind === '.csv') yield* fromCsv(source, bytes);
  else yield { source, bytes };
}

function* fromJsonLines(source: string, bytes: Uint8Array): Generator<RawDocument> {
  const lines = new TextDecoder().decode(bytes).split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      throw new JobFailure(jobExit.data, 'DATA_JSONL', `${source}, line ${index + 1} is not JSON.`);
    }
    const { text, id } = row as { text?: unknown; id?: unknown };
    if (typeof text !== 'string')
      throw new JobFailure(jobExit.data, 'DATA_JSONL', `${source}, line ${index + 1} has no "text".`);
    yield {
      source: `${source}#${typeof id === 'string' || typeof id === 'number' ? id : index + 1}`,
      bytes: Buffer.from(text),
    };
  }
}

async function* fromCsv(source: string, bytes: Uint8Array): AsyncGenerator<RawDocument> {
  const rows = parseCsv(Buffer.from(bytes), { columns: true, bom: true, skip_empty_lines: true });
  let index = 0;
  try {
    for await (const row of rows as AsyncIterable<Record<string, string>>) {
      index += 1;
      if (row['text'] === undefined)
        throw new JobFailure(jobExit.data, 'DATA_CSV', `${source} has no column "text".`);
      yield { source: `${source}#${row['id'] ?? index}`, bytes: Buffer.from(row['text']) };
    }
  } catch (error) {
    if (error instanceof JobFailure) throw error;
    throw new JobFailure(jobExit.data, 'DATA_CSV', `${source}: ${(error as Error).message}.`);
  }
}

/** Documents of a tenant: a folder, a glob or a file (`file://`), or a prefix or object (`s3://`). */
export function readDocuments(objects: ObjectStore, uri: string): AsyncGenerator<RawDocument> {
  if (!uri.startsWith('file:')) return fromObjects(objects, uri);
  // A glob's characters are kept as they are: only %XX is decoded.
  return fromFiles(fileURLToPath(uri.replace(/[?#]/g, (character) => encodeURIComponent(character))));
}
