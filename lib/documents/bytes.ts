import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Pieces, SkipReason } from './found.ts';

/** Bytes that are looked at to recognise what a file is. */
const headBytes = 4_100;

/** A fault of one file: it is counted and named, and the others are read. */
export class FileFault extends Error {
  override readonly name = 'FileFault';
  readonly reason: SkipReason;

  constructor(reason: SkipReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** The first bytes, and all of them from the beginning. */
async function peek(pieces: Pieces): Promise<{ readonly head: Buffer; readonly all: Pieces }> {
  const iterator = pieces[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let length = 0;
  while (length < headBytes) {
    const { value, done } = await iterator.next();
    if (done) break;
    held.push(value);
    length += value.byteLength;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* held.splice(0);
      for (;;) {
        const { value, done } = await iterator.next();
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(held).subarray(0, headBytes), all: all() };
}

const isGzip = (head: Uint8Array) => head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;

/** Unpacks gzip; what is broken throws a FileFault where it is met. */
async function* gunzip(pieces: Pieces): AsyncGenerator<Uint8Array> {
  const unpacked = createGunzip();
  // Errors reach whoever reads.
  pipeline(Readable.from(pieces), unpacked, () => {});
  try {
    yield* unpacked as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) throw new FileFault('brokenArchive', message);
    throw error;
  }
}

/** UTF-16 with its mark, as UTF-8. */
async function* fromUtf16(pieces: Pieces, encoding: string): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding);
  for await (const piece of pieces) yield Buffer.from(decoder.decode(piece, { stream: true }));
  yield Buffer.from(decoder.decode());
}

/** Kinds that file-type knows and that are text all the same. */
const isTextKind = (mime: string) =>
  mime.startsWith('text/') || /^(application|image)\/(xml|json|.*\+xml|x-ndjson)$/.test(mime);

/**
 * The bytes of a file ready to be read as text: unpacked where they are gzip, whatever the name says, and UTF-8 where they were
 * UTF-16. Throws a FileFault for files that are known to be something else (PDF, ZIP, pictures), with their kind.
 */
export async function textBytes(pieces: Pieces): Promise<Pieces> {
  let { head, all } = await peek(pieces);
  if (isGzip(head)) ({ head, all } = await peek(gunzip(all)));
  const [first, second] = head;
  if (first === 0xff && second === 0xfe) return fromUtf16(all, 'utf-16le');
  if (first === 0xfe && second === 0xff) return fromUtf16(all, 'utf-16be');
  // Loaded with the first file: the command line reads none most of the time.
  const { fileTypeFromBuffer } = await import('file-type');
  const kind = await fileTypeFromBuffer(head).catch(() => undefined);
  if (!kind || isTextKind(kind.mime)) return all;
  await all[Symbol.asyncIterator]().return?.();
  throw new FileFault('binary', `a ${kind.ext.toUpperCase()} file`);
}

/** All bytes, or undefined when there are more than `most`. */
export async function collect(pieces: Pieces, most: number): Promise<Buffer | undefined> {
  const held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    held.push(piece);
    length += piece.byteLength;
    if (length > most) return undefined;
  }
  return Buffer.concat(held);
}
