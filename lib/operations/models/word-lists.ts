import { EpsilonError } from '../../errors/epsilon-error.ts';
import { ListedWords } from '../../training/models/vectors/listed-words.ts';
import { buckets } from '../../training/models/vectors/word-segment.ts';
import {
  type AboutWordLists,
  wordListNames,
  wordListsVersion,
} from '../../training/models/word-list-files.ts';
import type { Objects, PassageFile } from './passage-files.ts';

const numbersOf = (bytes: Uint8Array) => new Uint32Array(new Uint8Array(bytes).buffer);

/** Reads at once: a store far away answers each after a while. */
const atOnce = 16;

/** Lists of words beside an index: what its passages say, without reading them. */
export class WordLists {
  readonly #objects: Objects;
  readonly #prefix: string;
  readonly #about: AboutWordLists;
  #gaps: Uint32Array | undefined;

  private constructor(objects: Objects, prefix: string, about: AboutWordLists) {
    this.#objects = objects;
    this.#prefix = prefix;
    this.#about = about;
  }

  /** The lists of an index; undefined where it has none that are known here. Error: `DATA_COUNT` where they are of other rows. */
  static async open(objects: Objects, indexUri: string, rows: number): Promise<WordLists | undefined> {
    const prefix = indexUri.replace(/[^/]+$/, '');
    let text: Uint8Array;
    try {
      text = await objects.get(prefix + wordListNames.about);
    } catch (error) {
      if (error instanceof EpsilonError && error.code === 'OBJECT_NOT_FOUND') return undefined;
      throw error;
    }
    const about = JSON.parse(new TextDecoder().decode(text)) as AboutWordLists;
    if (about.version !== wordListsVersion) return undefined;
    if (about.rows !== rows)
      throw new EpsilonError('DATA_COUNT', `The index has ${rows} rows, its word lists ${about.rows}.`);
    return new WordLists(objects, prefix, about);
  }

  get files(): readonly PassageFile[] {
    return this.#about.files.map(({ name, first }) => ({ name, first }));
  }

  async #numbers(name: string): Promise<Uint32Array> {
    return numbersOf(await this.#objects.get(this.#prefix + name));
  }

  async #bucket(segment: number, from: number, end: number): Promise<Uint8Array> {
    if (end <= from) return new Uint8Array();
    const uri = this.#prefix + wordListNames.segment(segment);
    const bytes = await this.#objects.get(uri, { from, first: end - from });
    if (bytes.byteLength === end - from) return bytes;
    throw new EpsilonError('DATA_INDEX_CORRUPT', `${uri} is shorter than the index says.`);
  }

  /** Fit of each row by words, as `QuestionWords` gives it. */
  async scores(question: string): Promise<Float32Array> {
    const [facts, begins] = await Promise.all([
      this.#numbers(wordListNames.rows),
      this.#numbers(wordListNames.begins),
    ]);
    if (facts.length !== this.#about.rows)
      throw new EpsilonError(
        'DATA_COUNT',
        `The index has ${this.#about.rows} rows, its word lists ${facts.length}.`,
      );
    const words = new ListedWords(question, facts);
    const reads = Array.from({ length: this.#about.segments }, (_, segment) =>
      words.buckets.map((bucket) => ({ segment, bucket })),
    ).flat();
    for (let at = 0; at < reads.length; at += atOnce) {
      const some = reads.slice(at, at + atOnce).map(({ segment, bucket }) => {
        const place = segment * (buckets + 1) + bucket;
        return this.#bucket(segment, begins[place] ?? 0, begins[place + 1] ?? 0);
      });
      for (const bytes of await Promise.all(some)) words.take(bytes);
    }
    return words.scores();
  }

  /** Number of a row's passage. */
  async passageOf(row: number): Promise<number> {
    this.#gaps ??= await this.#numbers(wordListNames.gaps);
    const gaps = this.#gaps;
    let [low, high] = [0, gaps.length / 2];
    // The first gap after the row; the one before it says how many passages were left out.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((gaps[middle * 2] ?? 0) <= row) low = middle + 1;
      else high = middle;
    }
    return row + (low === 0 ? 0 : (gaps[low * 2 - 1] ?? 0));
  }
}
