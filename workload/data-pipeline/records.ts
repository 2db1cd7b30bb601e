import { Readable } from 'node:stream';
import { CsvError, parse as parseCsv } from 'csv-parse';
import { JobFailure, jobExit } from '../job/failure.ts';

/** A document as it was found. */
export interface RawDocument {
  readonly source: string;
  /** Absent when it is larger than a document may be. */
  readonly bytes?: Uint8Array;
}

/** Larger than this is no document but data: 16 MiB. */
export const largestDocument = 16 * 1_048_576;

/** Bytes of a file in pieces, in order. */
export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Kinds of file that hold many documents. */
export type RecordKind = 'jsonl' | 'csv';

const newline = 0x0a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

async function* withoutMark(pieces: Pieces): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const piece of pieces) {
    const marked = first && byteOrderMark.equals(piece.subarray(0, byteOrderMark.length));
    first = false;
    yield marked ? piece.subarray(byteOrderMark.length) : piece;
  }
}

/** Lines one by one, so that a file's size does not matter; a line that is too large comes as undefined. */
async function* linesOf(pieces: Pieces): AsyncGenerator<Uint8Array | undefined> {
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

function rowOf(text: string, place: string): { readonly id: unknown; readonly text: string } {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch {
    throw new JobFailure(jobExit.data, 'DATA_JSONL', `${place} is not JSON.`);
  }
  const { id, text: body } = (row ?? {}) as { id?: unknown; text?: unknown };
  if (typeof body !== 'string') throw new JobFailure(jobExit.data, 'DATA_JSONL', `${place} has no "text".`);
  return { id, text: body };
}

async function* fromJsonLines(source: string, pieces: Pieces): AsyncGenerator<RawDocument> {
  let number = 0;
  for await (const line of linesOf(pieces)) {
    number += 1;
    const text = line && utf8(line);
    // What is no UTF-8 is no document either: handed on as it is, to be counted like a file of that kind.
    if (text === undefined) yield { source: `${source}#${number}`, ...(line ? { bytes: line } : {}) };
    else if (text.trim() !== '') {
      const { id, text: body } = rowOf(text, `${source}, line ${number}`);
      const name = typeof id === 'string' || typeof id === 'number' ? id : number;
      yield { source: `${source}#${name}`, bytes: Buffer.from(body) };
    }
  }
}

async function* fromCsv(source: string, pieces: Pieces): AsyncGenerator<RawDocument> {
  // Read as Latin-1 every byte is one character, so that a cell's own bytes come back whatever its encoding.
  const decode = (cell: string) => Buffer.from(cell, 'latin1');
  const parser = parseCsv({
    columns: (names: string[]) => names.map((name) => decode(name).toString()),
    encoding: 'latin1',
    // A guess from the first line end would be wrong where cells hold other ones.
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: largestDocument,
  });
  const rows = Readable.from(withoutMark(pieces))
    .on('error', (error) => parser.destroy(error))
    .pipe(parser);
  let number = 0;
  try {
    for await (const row of rows as AsyncIterable<Record<string, string>>) {
      number += 1;
      const { id, text } = row;
      if (text === undefined)
        throw new JobFailure(jobExit.data, 'DATA_CSV', `${source} has no column "text".`);
      yield { source: `${source}#${id === undefined ? number : decode(id).toString()}`, bytes: decode(text) };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new JobFailure(jobExit.data, 'DATA_CSV', `${source}: ${error.message}.`);
  }
}

/** Documents of a file that holds many. */
export function recordsOf(kind: RecordKind, source: string, pieces: Pieces): AsyncGenerator<RawDocument> {
  return kind === 'csv' ? fromCsv(source, pieces) : fromJsonLines(source, pieces);
}
