import { withoutMark } from './byte-order-mark.ts';
import { FileFault } from './bytes.ts';
import { csvRecords } from './csv-records.ts';
import type { Pieces, ReadingOptions, Row } from './found.ts';

/** What may part cells, likeliest first. */
const delimiters = [',', ';', '\t', '|'] as const;

/** Bytes within which the first line has to end. */
const longestHeader = 65_536;

/** A name as it is compared where it is not found as it is written. */
const loosely = (name: string) => name.trim().toLowerCase();

function findColumn(names: readonly string[], wanted: string): number {
  const exact = names.indexOf(wanted);
  return exact >= 0 ? exact : names.findIndex((name) => loosely(name) === loosely(wanted));
}

/** Names in the first line, if this is what parts them. */
function namesIn(line: string, delimiter: string): string[] {
  return line.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

/** What parts the cells: what makes the wanted column appear, otherwise what is most frequent in the first line. */
function delimiterOf(line: string, wanted: string): number {
  const fits = delimiters.find((one) => findColumn(namesIn(line, one), wanted) >= 0);
  const count = (one: string) => line.split(one).length;
  const chosen = fits ?? delimiters.reduce((best, one) => (count(one) > count(best) ? one : best));
  return chosen.charCodeAt(0);
}

/** The first line, and all bytes from the beginning. */
async function headOf(pieces: Pieces): Promise<{ readonly line: string; readonly all: Pieces }> {
  const iterator = withoutMark(pieces);
  const held: Uint8Array[] = [];
  let head = Buffer.alloc(0);
  while (head.length < longestHeader && !head.includes(0x0a) && !head.includes(0x0d)) {
    const { value, done } = await iterator.next();
    if (done) break;
    held.push(value);
    head = Buffer.concat([head, value.subarray(0, longestHeader)]);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* held.splice(0);
    yield* iterator;
  }
  return { line: head.toString().split(/[\r\n]/, 1)[0] ?? '', all: all() };
}

/** The columns that count, and how many there are. */
interface Columns {
  readonly text: number;
  readonly id: number;
  readonly count: number;
}

function columnsOf(header: readonly Buffer[], { textColumn, idColumn }: ReadingOptions): Columns {
  const names = header.map(String);
  const text = findColumn(names, textColumn);
  if (text < 0)
    throw new FileFault(
      'noColumn',
      `has no column "${textColumn}" (it has: ${names.slice(0, 10).join(', ').slice(0, 200)})`,
    );
  return { text, id: findColumn(names, idColumn), count: names.length };
}

function rowOf(cells: readonly Buffer[], line: number, number: number, columns: Columns): Row {
  if (cells.length !== columns.count)
    return {
      line,
      skipped: 'badRow',
      detail: `has ${cells.length} cells, the first line ${columns.count}`,
    };
  const id = String(cells[columns.id] ?? '');
  return { name: id === '' ? number : id, bytes: cells[columns.text] ?? Buffer.alloc(0) };
}

/** Documents of a CSV file, one a row; its first line names the columns, which commas, semicolons, tabs or bars part. */
export async function* fromCsv(pieces: Pieces, options: ReadingOptions): AsyncGenerator<Row> {
  const { line: first, all } = await headOf(pieces);
  let columns: Columns | undefined;
  let number = 0;
  for await (const record of csvRecords(all, delimiterOf(first, options.textColumn))) {
    const { line } = record;
    if ('bad' in record) yield { line, skipped: 'badRow', detail: record.bad };
    else if ('tooLarge' in record) yield { line, skipped: 'tooLarge', detail: `line ${line}` };
    else if (record.cells.length === 1 && record.cells[0]?.length === 0) continue;
    else if (!columns) columns = columnsOf(record.cells, options);
    else {
      number += 1;
      yield rowOf(record.cells, line, number, columns);
    }
  }
}
