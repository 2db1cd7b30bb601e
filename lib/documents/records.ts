import { EpsilonError } from '../errors/epsilon-error.ts';
import { fromCsv } from './csv.ts';
import type { Pieces, ReadingOptions, Row } from './found.ts';
import { fromJsonLines } from './json-lines.ts';

/** Kinds of file that hold many documents. */
export type RecordKind = 'jsonl' | 'csv';

/** Places that a refusal names. */
const namedPlaces = 5;

/** Bad rows from which a file is given up before its end, when far too many are. */
const manyBad = 1_000;

/** JSONL and CSV files hold many documents, everything else is one. A name's `.gz` says nothing. */
export function kindOf(source: string): RecordKind | undefined {
  const name = source.toLowerCase().replace(/\.gz$/, '');
  if (/\.(csv|tsv)$/.test(name)) return 'csv';
  return /\.(jsonl|ndjson)$/.test(name) ? 'jsonl' : undefined;
}

/** Counts the bad rows of a file; more than the tolerance throws, with the first places. */
class Tolerance {
  readonly #kind: RecordKind;
  readonly #source: string;
  readonly #share: number;
  readonly #places: string[] = [];
  #rows = 0;
  #bad = 0;

  constructor(kind: RecordKind, source: string, { badRowShare }: ReadingOptions) {
    this.#kind = kind;
    this.#source = source;
    this.#share = badRowShare;
  }

  count(row: Row): void {
    this.#rows += 1;
    if (!('skipped' in row) || row.skipped !== 'badRow') return;
    this.#bad += 1;
    if (this.#places.length < namedPlaces) this.#places.push(`line ${row.line} ${row.detail}`);
    if (this.#bad >= manyBad && this.#bad > this.#rows * this.#share * 10) this.#refuse();
  }

  close(): void {
    if (this.#bad > Math.max(1, Math.floor(this.#rows * this.#share))) this.#refuse();
  }

  #refuse(): never {
    const more = this.#bad > this.#places.length ? ', ...' : '';
    const share = Number((this.#share * 100).toPrecision(3));
    throw new EpsilonError(
      this.#kind === 'csv' ? 'DATA_CSV' : 'DATA_JSONL',
      `${this.#source}: ${this.#bad} of ${this.#rows} rows are bad, ${share} % may be (${this.#places.join('; ')}${more}).`,
    );
  }
}

/**
 * Rows of a file that holds many documents. A bad one is reported and the next is read; when more are bad than the options allow,
 * `DATA_CSV` or `DATA_JSONL` with the first places.
 */
export async function* recordsOf(
  kind: RecordKind,
  source: string,
  pieces: Pieces,
  options: ReadingOptions,
): AsyncGenerator<Row> {
  const tolerance = new Tolerance(kind, source, options);
  for await (const row of kind === 'csv' ? fromCsv(pieces, options) : fromJsonLines(pieces, options)) {
    tolerance.count(row);
    yield row;
  }
  tolerance.close();
}
