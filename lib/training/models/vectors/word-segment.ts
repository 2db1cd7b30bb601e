import { EpsilonError } from '../../../errors/epsilon-error.ts';
import { stemOf } from './terms.ts';

/** Parts of a segment: a question reads those of its words alone. */
export const buckets = 256;

/** Largest count that is kept: more says no more. */
const mostTimes = 255;

/** In front of a count: the word is in the name of the document that begins at the row, not in the passage. */
const inName = 256;

/** The bucket of a word, which all words of one stem share (FNV-1a over the stem's UTF-16 units). */
export function bucketOf(word: string): number {
  let hash = 0x811c9dc5;
  const stem = stemOf(word);
  for (let at = 0; at < stem.length; at += 1) hash = Math.imul(hash ^ stem.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % buckets;
}

/** Bytes that are written one after the other, however many. */
class Bytes {
  #bytes = Buffer.alloc(1_048_576);
  length = 0;

  #room(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.length + more));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.length] = value;
    this.length += 1;
  }

  /** A whole number in as few bytes as it needs, seven bits each, the lowest first. */
  number(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  add(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  clear(): void {
    this.length = 0;
  }

  all(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

/** A segment as it is written: its bytes, and where each bucket begins in them; last the length. */
export interface EncodedSegment {
  readonly bytes: Uint8Array;
  readonly begins: Uint32Array;
}

/**
 * The words of some rows, one after the other: which word is how often in which passage, and in the name of which document. Takes 10 bytes for
 * each, and the words themselves.
 */
export class WordSegment {
  readonly #most: number;
  readonly #numbers = new Map<string, number>();
  readonly #buckets: number[] = [];
  /** The newest occurrence of each word in a passage. */
  readonly #newest: number[] = [];
  readonly #words: Uint32Array;
  readonly #rows: Uint32Array;
  readonly #times: Uint16Array;
  #length = 0;

  /** `most`: occurrences after which it is full; one more passage and name may come. */
  constructor(most: number) {
    this.#most = most;
    const room = most + 16_384;
    this.#words = new Uint32Array(room);
    this.#rows = new Uint32Array(room);
    this.#times = new Uint16Array(room);
  }

  get full(): boolean {
    return this.#length >= this.#most;
  }

  get empty(): boolean {
    return this.#length === 0;
  }

  #numberOf(word: string): number {
    const known = this.#numbers.get(word);
    if (known !== undefined) return known;
    const number = this.#buckets.length;
    // A word cut out of a text keeps the text in memory; a copy of it does not.
    this.#numbers.set(Buffer.from(word).toString(), number);
    this.#buckets.push(bucketOf(word));
    this.#newest.push(-1);
    return number;
  }

  #add(word: number, row: number, times: number): number {
    const at = this.#length;
    if (at === this.#words.length)
      throw new EpsilonError('DATA_PASSAGE_TOO_LARGE', `Row ${row} has more words than a passage may have.`);
    this.#words[at] = word;
    this.#rows[at] = row;
    this.#times[at] = times;
    this.#length += 1;
    return at;
  }

  /** The words of a passage. Rows rise. */
  addPassage(row: number, words: readonly string[]): void {
    for (const word of words) {
      const number = this.#numberOf(word);
      const newest = this.#newest[number] ?? -1;
      if (newest < 0 || this.#rows[newest] !== row) this.#newest[number] = this.#add(number, row, 1);
      else if ((this.#times[newest] ?? 0) < mostTimes) this.#times[newest] = (this.#times[newest] ?? 0) + 1;
    }
  }

  /** The words in the name of the document that begins at a row. */
  addName(row: number, words: readonly string[]): void {
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, times] of counts)
      this.#add(this.#numberOf(word), row, inName | Math.min(mostTimes, times));
  }

  /** Words in the order of their buckets. */
  #ordered(): readonly string[] {
    const words = [...this.#numbers.keys()];
    const order = words.map((_, number) => number);
    order.sort((a, b) => (this.#buckets[a] ?? 0) - (this.#buckets[b] ?? 0) || a - b);
    return order.map((number) => words[number] ?? '');
  }

  /** Occurrences by the number of their word, each word's in the order of the rows; and where those of each word begin. */
  #byWord(): { readonly begins: Uint32Array; readonly sorted: Uint32Array } {
    const begins = new Uint32Array(this.#buckets.length + 1);
    for (let at = 0; at < this.#length; at += 1) {
      const next = (this.#words[at] ?? 0) + 1;
      begins[next] = (begins[next] ?? 0) + 1;
    }
    for (let word = 1; word < begins.length; word += 1)
      begins[word] = (begins[word] ?? 0) + (begins[word - 1] ?? 0);
    const next = begins.slice();
    const sorted = new Uint32Array(this.#length);
    for (let at = 0; at < this.#length; at += 1) {
      const word = this.#words[at] ?? 0;
      const place = next[word] ?? 0;
      sorted[place] = at;
      next[word] = place + 1;
    }
    return { begins, sorted };
  }

  /** Rows, each by its distance from the one before, with counts: those of passages, or those of names. */
  #list(bytes: Bytes, places: Uint32Array, ofNames: boolean): void {
    const chosen = places.filter((at) => (this.#times[at] ?? 0) >= inName === ofNames);
    bytes.number(chosen.length);
    let before = 0;
    for (const at of chosen) {
      const row = this.#rows[at] ?? 0;
      bytes.number(row - before);
      bytes.byte((this.#times[at] ?? 0) % inName);
      before = row;
    }
  }

  encode(): EncodedSegment {
    const { begins, sorted } = this.#byWord();
    const [all, entry] = [new Bytes(), new Bytes()];
    const table = new Uint32Array(buckets + 1);
    let bucket = 0;
    for (const word of this.#ordered()) {
      const number = this.#numbers.get(word) ?? 0;
      for (; bucket < (this.#buckets[number] ?? 0); bucket += 1) table[bucket + 1] = all.length;
      entry.clear();
      const spelled = Buffer.from(word);
      entry.number(spelled.length);
      entry.add(spelled);
      const places = sorted.subarray(begins[number], begins[number + 1]);
      this.#list(entry, places, false);
      this.#list(entry, places, true);
      all.number(entry.length);
      all.add(entry.all());
    }
    for (; bucket < buckets; bucket += 1) table[bucket + 1] = all.length;
    return { bytes: all.all(), begins: table };
  }
}

/** Where a word is: rows, each with a count. */
export type Occurrences = Iterable<readonly [row: number, times: number]>;

/** A word of a bucket. Its occurrences are read in this order, each once. */
export interface WordEntry {
  readonly word: string;
  readonly inPassages: Occurrences;
  readonly inNames: Occurrences;
}

/** Reads numbers and bytes; `DATA_INDEX_CORRUPT` where they end too early. */
class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.at];
    if (value === undefined)
      throw new EpsilonError(
        'DATA_INDEX_CORRUPT',
        'The word lists of the index end in the middle of a word.',
      );
    this.at += 1;
    return value;
  }

  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  text(length: number): string {
    const text = new TextDecoder().decode(this.#bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }

  *occurrences(): Generator<readonly [number, number]> {
    const count = this.number();
    let row = 0;
    for (let each = 0; each < count; each += 1) {
      row += this.number();
      yield [row, this.byte()];
    }
  }
}

/** The words of one bucket. */
export function* readBucket(bytes: Uint8Array): Generator<WordEntry> {
  const reader = new Reader(bytes);
  while (!reader.done) {
    const end = reader.number() + reader.at;
    const word = reader.text(reader.number());
    yield { word, inPassages: reader.occurrences(), inNames: reader.occurrences() };
    reader.at = end;
  }
}
