import { createHash } from 'node:crypto';

/** Content that is there already, as a stream. */
export async function* contentOf(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof content === 'string' ? new TextEncoder().encode(content) : content;
}

/** Divides a stream into pieces of one size, the last one shorter; `sha256` is that of all of it, once it was read. */
export function inPieces(
  content: AsyncIterable<Uint8Array>,
  size: number,
): { readonly pieces: AsyncIterable<Uint8Array>; sha256(): string } {
  const hash = createHash('sha256');
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let rest = Buffer.alloc(0);
    for await (const part of content) {
      hash.update(part);
      rest = Buffer.concat([rest, part]);
      let at = 0;
      for (; rest.length - at >= size; at += size) yield rest.subarray(at, at + size);
      rest = rest.subarray(at);
    }
    if (rest.length > 0) yield rest;
  }
  return { pieces: pieces(), sha256: () => hash.digest('hex') };
}

/** Reads a stream to its end and gives its checksum and length. */
export async function digestOf(
  content: AsyncIterable<Uint8Array>,
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of content) {
    hash.update(part);
    bytes += part.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}
