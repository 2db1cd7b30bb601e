import { largestDocument, type Pieces } from './found.ts';

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const blank = 0x20;

/** A record of a CSV file as it was found. */
export type CsvRecord =
  | { readonly line: number; readonly cells: readonly Buffer[] }
  | { readonly line: number; readonly bad: string }
  | { readonly line: number; readonly tooLarge: true };

/** What was read from a place: cells and where they end, a fault, or that more bytes are needed to decide. */
type Scan = { readonly cells: readonly Buffer[]; readonly end: number } | { readonly bad: string } | 'more';

/** A cell and where it ends. */
type CellScan = { readonly cell: Buffer; readonly end: number } | { readonly bad: string } | 'more';

function firstNotBlank(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === blank) at += 1;
  return at;
}

const endsLine = (byte: number | undefined) => byte === lineFeed || byte === carriageReturn;

/** A cell in quotes that begins behind `from`; quotes inside it are doubled. */
function quotedCell(bytes: Buffer, from: number, delimiter: number, last: boolean): CellScan {
  const parts: Buffer[] = [];
  let begin = from;
  for (;;) {
    const at = bytes.indexOf(quote, begin);
    if (at < 0) return last ? { bad: 'begins a quote that never ends' } : 'more';
    if (at + 1 === bytes.length && !last) return 'more';
    parts.push(bytes.subarray(begin, at));
    if (bytes[at + 1] !== quote) {
      const end = firstNotBlank(bytes, at + 1);
      if (end === bytes.length) return last ? { cell: Buffer.concat(parts), end } : 'more';
      if (bytes[end] === delimiter || endsLine(bytes[end])) return { cell: Buffer.concat(parts), end };
      return { bad: 'has text behind a closing quote' };
    }
    parts.push(bytes.subarray(at, at + 1));
    begin = at + 2;
  }
}

function plainCell(bytes: Buffer, from: number, delimiter: number, last: boolean): CellScan {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === delimiter || endsLine(byte)) return { cell: bytes.subarray(from, at), end: at };
    if (byte === quote) return { bad: 'has a quote inside a cell (write it twice, and quote the cell)' };
  }
  return last ? { cell: bytes.subarray(from), end: bytes.length } : 'more';
}

/** One record from the beginning of these bytes; `last` says that no more will come. */
function scanRecord(bytes: Buffer, from: number, delimiter: number, last: boolean): Scan {
  const cells: Buffer[] = [];
  let at = from;
  for (;;) {
    const begin = firstNotBlank(bytes, at);
    const found =
      bytes[begin] === quote
        ? quotedCell(bytes, begin + 1, delimiter, last)
        : plainCell(bytes, at, delimiter, last);
    if (found === 'more' || 'bad' in found) return found;
    cells.push(found.cell);
    const { end } = found;
    if (bytes[end] === delimiter) at = end + 1;
    else if (bytes[end] !== carriageReturn) return { cells, end: Math.min(end + 1, bytes.length) };
    else if (end + 1 === bytes.length && !last) return 'more';
    else return { cells, end: end + (bytes[end + 1] === lineFeed ? 2 : 1) };
  }
}

/** Where the line that begins here ends, or undefined while that is not known. */
function lineEnd(bytes: Buffer, from: number, last: boolean): number | undefined {
  for (let at = from; at < bytes.length; at += 1) {
    if (bytes[at] === lineFeed) return at + 1;
    if (bytes[at] !== carriageReturn) continue;
    if (at + 1 < bytes.length) return at + (bytes[at + 1] === lineFeed ? 2 : 1);
    return last ? at + 1 : undefined;
  }
  return last ? bytes.length : undefined;
}

function linesIn(bytes: Buffer, from: number, end: number): number {
  let lines = 0;
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === lineFeed || (byte === carriageReturn && bytes[at + 1] !== lineFeed)) lines += 1;
  }
  return Math.max(1, lines);
}

/** Bytes that are read and not yet returned. */
class Window {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  line = 1;
  /** Inside a line that is too large: its rest is dropped. */
  dropping = false;

  add(piece: Uint8Array): void {
    const rest = this.bytes.subarray(this.at);
    this.bytes = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    this.at = 0;
    if (!this.dropping) return;
    const end = lineEnd(this.bytes, 0, false);
    this.at = end ?? this.bytes.length;
    if (end === undefined) return;
    this.dropping = false;
    this.line += 1;
  }

  /** The next record, or undefined when more bytes are needed or none are left. */
  take(delimiter: number, last: boolean): CsvRecord | undefined {
    if (this.at >= this.bytes.length) return undefined;
    const { line } = this;
    const found = scanRecord(this.bytes, this.at, delimiter, last);
    const large = this.bytes.length - this.at > largestDocument;
    if (found !== 'more' && 'cells' in found) {
      this.line += linesIn(this.bytes, this.at, found.end);
      this.at = found.end;
      return { line, cells: found.cells };
    }
    if (found === 'more' && !large) return undefined;
    // What follows a bad record is looked at from its second line on: a quote that never ends costs one line, not the rest.
    const end = lineEnd(this.bytes, this.at, last);
    if (end === undefined && !large) return undefined;
    this.at = end ?? this.bytes.length;
    this.line += end === undefined ? 0 : 1;
    this.dropping = end === undefined;
    return found === 'more' ? { line, tooLarge: true } : { line, bad: found.bad };
  }
}

/**
 * Records of CSV bytes, one by one, in the memory of the largest. A record that is no CSV is reported, and reading goes on with the
 * line behind its first. (csv-parse, set to skip such records, loses the good ones behind them up to the next quote.)
 */
export async function* csvRecords(pieces: Pieces, delimiter: number): AsyncGenerator<CsvRecord> {
  const window = new Window();
  for await (const piece of pieces) {
    window.add(piece);
    for (let record = window.take(delimiter, false); record; record = window.take(delimiter, false))
      yield record;
  }
  for (let record = window.take(delimiter, true); record; record = window.take(delimiter, true)) yield record;
}
