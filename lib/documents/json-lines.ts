import { withoutMark } from './byte-order-mark.ts';
import { largestDocument, type Pieces, type ReadingOptions, type Row } from './found.ts';

const newline = 0x0a;

/** Lines one by one, so that a file's size does not matter; a line that is too large comes as undefined. */
export async function* linesOf(pieces: Pieces): AsyncGenerator<Buffer | undefined> {
  let held: Uint8Array[] = [];
  let length = 0;
  const take = () => {
    const line = length > largestDocument ? undefined : Buffer.concat(held);
    held = [];
    length = 0;
    return line;
  };
  const hold = (part: Uint8Array) => {
    length += part.length;
    if (length <= largestDocument) held.push(part);
    else held = [];
  };
  for await (const piece of withoutMark(pieces)) {
    let from = 0;
    for (let at = piece.indexOf(newline); at >= 0; at = piece.indexOf(newline, from)) {
      hold(piece.subarray(from, at));
      yield take();
      from = at + 1;
    }
    hold(piece.subarray(from));
  }
  if (length > 0) yield take();
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Keys of a row, for people who have to choose one. */
function keysOf(row: unknown): string {
  const keys = row !== null && typeof row === 'object' && !Array.isArray(row) ? Object.keys(row) : [];
  return keys.length === 0 ? '' : ` (it has: ${keys.slice(0, 10).join(', ').slice(0, 200)})`;
}

function rowOf(text: string, line: number, { textColumn, idColumn }: ReadingOptions): Row {
  const bad = (detail: string): Row => ({ line, skipped: 'badRow', detail });
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch {
    return bad('is not JSON');
  }
  const fields = (row ?? {}) as Readonly<Record<string, unknown>>;
  const body = Object.hasOwn(fields, textColumn) ? fields[textColumn] : undefined;
  if (typeof body !== 'string') return bad(`has no "${textColumn}"${keysOf(row)}`);
  const id = Object.hasOwn(fields, idColumn) ? fields[idColumn] : undefined;
  return {
    name: typeof id === 'string' || typeof id === 'number' ? id : line,
    bytes: Buffer.from(body),
  };
}

/** Documents of a JSONL file, one a line. */
export async function* fromJsonLines(pieces: Pieces, options: ReadingOptions): AsyncGenerator<Row> {
  let line = 0;
  for await (const bytes of linesOf(pieces)) {
    line += 1;
    const text = bytes && utf8(bytes);
    if (bytes === undefined) yield { line, skipped: 'tooLarge', detail: `line ${line}` };
    else if (text === undefined) yield { line, skipped: 'notText', detail: `line ${line}` };
    else if (text.trim() !== '') yield rowOf(text, line, options);
  }
}
