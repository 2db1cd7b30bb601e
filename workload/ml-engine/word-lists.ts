import type { Passage } from '../../lib/documents/passages.ts';
import { rowFacts } from '../../lib/training/models/vectors/listed-words.ts';
import { nameWordsOf } from '../../lib/training/models/vectors/terms.ts';
import { WordSegment } from '../../lib/training/models/vectors/word-segment.ts';
import {
  type AboutWordLists,
  wordListNames,
  wordListsVersion,
} from '../../lib/training/models/word-list-files.ts';
import type { ArtifactWriter } from '../job/artifacts.ts';

/** Places of words that a segment has: 40 MB of memory, and some 10 MB as a file. */
const segmentSize = 4_194_304;

/** Numbers that are held together. */
const blockSize = 1_048_576;

/** Numbers in the order they come, as bytes. */
class Numbers {
  readonly #blocks: Uint32Array[] = [];
  #length = 0;

  add(number: number): void {
    const at = this.#length % blockSize;
    if (at === 0) this.#blocks.push(new Uint32Array(blockSize));
    const block = this.#blocks.at(-1);
    if (block) block[at] = number;
    this.#length += 1;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for (const [index, { buffer }] of this.#blocks.entries())
      yield new Uint8Array(buffer, 0, 4 * Math.min(blockSize, this.#length - index * blockSize));
  }
}

/** Writes which words are in which passages, beside the index: a question then reads the lists of its own words, not every passage. */
export class WordListWriter {
  readonly #writer: Pick<ArtifactWriter, 'write'>;
  readonly #rows = new Numbers();
  readonly #gaps = new Numbers();
  readonly #begins = new Numbers();
  readonly #files: { readonly name: string; readonly first: number }[] = [];
  readonly #segmentSize: number;
  #segment: WordSegment;
  #segments = 0;
  #row = 0;
  #passage = 0;
  #leftOut = 0;
  #document: string | undefined;

  constructor(writer: Pick<ArtifactWriter, 'write'>, size = segmentSize) {
    this.#writer = writer;
    this.#segmentSize = size;
    this.#segment = new WordSegment(size);
  }

  /** The passages that follow are from this file. */
  beginFile(name: string): void {
    this.#files.push({ name, first: this.#passage });
  }

  /** A passage that has no row. */
  leaveOut(): void {
    this.#passage += 1;
  }

  /** The passage of the next row, with its words. */
  async add({ source }: Passage, words: readonly string[]): Promise<void> {
    const leftOut = this.#passage - this.#row;
    if (leftOut !== this.#leftOut) {
      this.#gaps.add(this.#row);
      this.#gaps.add(leftOut);
      this.#leftOut = leftOut;
    }
    const name = source === this.#document ? undefined : nameWordsOf(source);
    this.#document = source;
    if (name) this.#segment.addName(this.#row, name);
    this.#segment.addPassage(this.#row, words);
    this.#rows.add(rowFacts(words.length, name));
    this.#row += 1;
    this.#passage += 1;
    if (this.#segment.full) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#segment.empty) return;
    const { bytes, begins } = this.#segment.encode();
    await this.#writer.write(wordListNames.segment(this.#segments), bytes);
    for (const begin of begins) this.#begins.add(begin);
    this.#segments += 1;
    this.#segment = new WordSegment(this.#segmentSize);
  }

  async close(): Promise<void> {
    await this.#flush();
    await this.#writer.write(wordListNames.rows, this.#rows.pieces());
    await this.#writer.write(wordListNames.gaps, this.#gaps.pieces());
    await this.#writer.write(wordListNames.begins, this.#begins.pieces());
    const about: AboutWordLists = {
      version: wordListsVersion,
      rows: this.#row,
      segments: this.#segments,
      files: this.#files,
    };
    await this.#writer.write(wordListNames.about, `${JSON.stringify(about)}\n`);
  }
}
