import { Bm25, Column, type Counts, fourBytes } from './bm25.ts';
import { nameWordsOf, stemOf, termsOf } from './terms.ts';
import { tokenize } from './tokens.ts';

/** Times that the words of a document's name count. */
export const nameWeight = 2;

/** What the words of the whole document count beside those of the passage. */
export const documentWeight = 0.5;

/** A text with the name of the document it is from. */
export interface Named {
  readonly text: string;
  readonly source: string;
}

/** How many words are remembered: most come again and again. */
const mostRemembered = 65_536;

/** A number of a word's first two characters, which it shares with its stem. */
const beginningOf = (word: string) => (word.charCodeAt(0) * 31 + (word.charCodeAt(1) || 0)) & 0xffff;

const none: readonly never[] = [];

function addTo(counts: Counts, term: number, times: number): void {
  counts.set(term, (counts.get(term) ?? 0) + times);
}

/**
 * The words of a question in passages that are read one after the other, document by document: BM25, with stems and with the names of the
 * documents, of the passage and, at half the weight, of its document: what a passage does not say again, its page has said. Of a
 * passage only its lengths and the question's words stay in memory, so that any number of them can be looked at.
 */
export class QuestionWords {
  /** Terms of the question, by their numbers. */
  readonly #terms = new Map<string, number>();
  /** How words of the question begin: most words of a text are told apart by that alone. */
  readonly #beginnings = new Uint8Array(0x1_0000);
  /** The terms of the question that a word is or has the stem of. */
  readonly #remembered = new Map<string, readonly number[]>();
  readonly #passages: Bm25;
  readonly #documents: Bm25;
  /** The document of each passage. */
  readonly #documentOf = new Column(fourBytes);
  /** The document that is being read. */
  #document:
    | { readonly source: string; readonly name: readonly string[]; readonly counts: Counts; length: number }
    | undefined;

  constructor(question: string) {
    for (const word of tokenize(question)) this.#beginnings[beginningOf(word)] = 1;
    for (const term of termsOf(question)) if (!this.#terms.has(term)) this.#terms.set(term, this.#terms.size);
    this.#passages = new Bm25(this.#terms.size);
    this.#documents = new Bm25(this.#terms.size);
  }

  #termsIn(word: string): readonly number[] {
    if (this.#beginnings[beginningOf(word)] === 0) return none;
    const known = this.#remembered.get(word);
    if (known) return known;
    if (this.#remembered.size >= mostRemembered) this.#remembered.clear();
    const found = [word, stemOf(word)].flatMap((term) => this.#terms.get(term) ?? []);
    this.#remembered.set(word, found);
    return found;
  }

  #count(counts: Counts, words: readonly string[], times: number): void {
    for (const word of words) for (const term of this.#termsIn(word)) addTo(counts, term, times);
  }

  #begin(source: string) {
    this.#end();
    const name = nameWordsOf(source);
    // Each word counts as it is and by its stem.
    const document = {
      source,
      name,
      counts: new Map<number, number>(),
      length: 2 * nameWeight * name.length,
    };
    this.#count(document.counts, name, nameWeight);
    this.#document = document;
    return document;
  }

  #end(): void {
    if (this.#document) this.#documents.add(this.#document.counts, this.#document.length);
    this.#document = undefined;
  }

  /** Looks at the passage of the next row. */
  add({ text, source }: Named): void {
    const document = this.#document?.source === source ? this.#document : this.#begin(source);
    const words = tokenize(text);
    const counts: Counts = new Map();
    this.#count(counts, words, 1);
    for (const [term, times] of counts) addTo(document.counts, term, times);
    document.length += 2 * words.length;
    this.#count(counts, document.name, nameWeight);
    this.#passages.add(counts, 2 * (words.length + nameWeight * document.name.length));
    this.#documentOf.add(this.#documents.length);
  }

  /** A score for each row, 0 where neither it nor its document has a word of the question. Nothing is added after it. */
  scores(): Float32Array {
    this.#end();
    const documents = this.#documents.scores();
    return this.#passages
      .scores()
      .map((score, row) => score + documentWeight * (documents[this.#documentOf.at(row)] ?? 0));
  }
}
