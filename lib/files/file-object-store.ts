import { randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import {
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { ConditionFailed, NotFound } from '../errors/store-errors.ts';
import { parseObjectUri, parsePrefixUri } from '../objects/object-uri.ts';
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | null)?.code;

function explain(error: unknown, uri: string): unknown {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EISDIR')
    return new NotFound('OBJECT_NOT_FOUND', `There is no object ${uri}.`);
  if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') {
    return new EpsilonError('DISK_FULL', `The disk is full; ${uri} was not written.`, {
      exitCode: exitCodes.backend,
      cause: error,
    });
  }
  return error;
}

/** Bytes of a piece when an object is read as a stream. */
const pieceBytes = 262_144;

async function readPart(path: string, from: number, bytes: number): Promise<Uint8Array> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, from);
  return buffer.subarray(0, bytesRead);
}

/** Those of a list in key order that come after a key. */
async function* following(all: AsyncIterable<ObjectInfo>, after: string): AsyncGenerator<ObjectInfo> {
  for await (const info of all) if (info.uri > after) yield info;
}

/** Objects as files: `s3://bucket/key` is `<root>/<bucket>/<key>`. Writes go through a temporary file and a rename. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function createFileObjectStore({ root }: { readonly root: string }): ObjectStore {
  const pathOf = (uri: string): string => {
    const { bucket, key } = parseObjectUri(uri);
    return join(root, bucket, key);
  };

  /** A symbolic link inside the root must not lead out of it. */
  async function checkInside(path: string, uri: string): Promise<void> {
    const [inside, base] = await Promise.all([realpath(path), realpath(root)]);
    if (inside !== base && !inside.startsWith(base + sep)) {
      throw new EpsilonError('OBJECT_URI_INVALID', `${uri} leads out of the object store.`);
    }
  }

  async function place(
    uri: string,
    write: (temporary: string) => Promise<void>,
    ifAbsent = false,
  ): Promise<void> {
    const path = pathOf(uri);
    const temporary = join(dirname(path), `.tmp-${randomBytes(8).toString('hex')}`);
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await checkInside(dirname(path), uri);
      await write(temporary);
      if (ifAbsent) await link(temporary, path);
      else await rename(temporary, path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw new ConditionFailed(`object ${uri} exists already`);
      throw explain(error, uri);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async function head(uri: string): Promise<ObjectInfo | undefined> {
    const found = await stat(pathOf(uri)).catch(() => undefined);
    return found?.isFile() ? { uri, size: found.size, modifiedAt: found.mtimeMs } : undefined;
  }

  async function* walk(folder: string, uri: string): AsyncGenerator<ObjectInfo> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    // Keys are ordered as S3 orders them: a folder sorts as its name with the slash.
    const named = entries.map((entry) => ({
      entry,
      name: entry.isDirectory() ? `${entry.name}/` : entry.name,
    }));
    named.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { entry, name } of named) {
      if (entry.isDirectory()) yield* walk(join(folder, entry.name), uri + name);
      else if (entry.isFile() && !name.startsWith('.tmp-')) {
        const info = await head(uri + name);
        if (info) yield info;
      }
    }
  }

  async function* stream(uri: string): AsyncGenerator<Uint8Array> {
    try {
      const path = pathOf(uri);
      await checkInside(path, uri);
      yield* createReadStream(path, { highWaterMark: pieceBytes });
    } catch (error) {
      throw explain(error, uri);
    }
  }

  return {
    stream,
    get: async (uri, { first, from = 0 } = {}) => {
      try {
        const path = pathOf(uri);
        await checkInside(path, uri);
        return first === undefined ? await readFile(path) : await readPart(path, from, first);
      } catch (error) {
        throw explain(error, uri);
      }
    },
    put: (uri, body, options = {}) =>
      place(uri, (temporary) => writeFile(temporary, body, { mode: 0o600 }), options.ifAbsent),
    head,
    list: (prefixUri, { after } = {}) => {
      const { bucket, key } = parsePrefixUri(prefixUri);
      const all = walk(join(root, bucket, key), prefixUri);
      return after === undefined ? all : following(all, prefixUri + after);
    },
    copy: (fromUri, toUri) =>
      place(toUri, (temporary) => copyFile(pathOf(fromUri), temporary, constants.COPYFILE_FICLONE)),
    delete: async (uri) => {
      await rm(pathOf(uri), { force: true });
    },
  };
}
