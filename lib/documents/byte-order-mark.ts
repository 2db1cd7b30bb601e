import type { Pieces } from './found.ts';

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Without the mark that some programs put before UTF-8. */
export async function* withoutMark(pieces: Pieces): AsyncGenerator<Uint8Array> {
  let held: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of pieces) {
    if (!held) {
      yield piece;
      continue;
    }
    held = Buffer.concat([held, piece]);
    if (held.length < byteOrderMark.length) continue;
    yield held.subarray(0, 3).equals(byteOrderMark) ? held.subarray(3) : held;
    held = undefined;
  }
  if (held && held.length > 0) yield held;
}
