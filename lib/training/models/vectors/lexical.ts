import { tokenize } from './tokens.ts';

/** Saturation of a word's frequency and weight of a passage's length: the usual values of BM25 (Robertson, Zaragoza 2009). */
const saturation = 1.2;
const lengthWeight = 0.75;

/** Times that the words of a document's name count. */
const nameWeight = 2;

/** A text with the name of the document it is from. */
export interface Named {
  readonly text: string;
  readonly source: string;
}

/** A word without the commonest endings of English, with a mark that no word has: "caches", "cached" and "caching" are one. */
function stemOf(word: string): string {
  let stem = word;
  if (stem.length > 4 && stem.endsWith('ies')) stem = `${stem.slice(0, -3)}y`;
  else if (stem.length > 3 && /[^su]s$/.test(stem)) stem = stem.slice(0, -1);
  if (stem.length > 5 && stem.endsWith('ing')) stem = stem.slice(0, -3);
  else if (stem.length > 4 && stem.endsWith('ed')) stem = stem.slice(0, -2);
  if (stem.length > 4 && stem.endsWith('e')) stem = stem.slice(0, -1);
  if (stem.length > 4 && /([^ls])\1$/.test(stem)) stem = stem.slice(0, -1);
  return `~${stem}`;
}

/** A text's words, each as it is and by its stem: who writes the very word is found before who writes a form of it. */
function termsOf(text: string): string[] {
  return tokenize(text).flatMap((word) => [word, stemOf(word)]);
}

/** Words in the name of a document: its last part without the ending, "MockAgent" as two words. */
function nameOf(source: string): string {
  const last = source.slice(source.lastIndexOf('/') + 1).replace(/\.\w{1,8}$/, '');
  return last.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').replace(/[-_]+/g, ' ');
}

/** Numbers in the order they were added, as many as there are: four or one byte each, however many. */
class Column<T extends Uint32Array | Uint8Array> {
  #numbers: T;
  readonly #make: (length: number) => T;
  length = 0;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#numbers = make(1_024);
  }

  add(number: number): void {
    if (this.length === this.#numbers.length) {
      const larger = this.#make(this.length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.length] = number;
    this.length += 1;
  }

  at(index: number): number {
    return this.#numbers[index] ?? 0;
  }
}

const fourBytes = (length: number) => new Uint32Array(length);
const oneByte = (length: number) => new Uint8Array(length);

/** How many words, and names of documents, are remembered: most come again and again. */
const mostRemembered = 65_536;

/** A number of a word's first two characters, which it shares with its stem. */
const beginningOf = (word: string) => (word.charCodeAt(0) * 31 + (word.charCodeAt(1) || 0)) & 0xffff;

const none: readonly never[] = [];

/** A term of the question, with the rows that have it, each with how often (at most 255, where more says no more). */
interface Posting {
  readonly rows: Column<Uint32Array>;
  readonly counts: Column<Uint8Array>;
}

/**
 * The words of a question in passages that are read one after the other: BM25, with stems and with the names of the documents. Of a
 * passage only its length and the question's words stay in memory, so that any number of them can be looked at.
 */
export class QuestionWords {
  readonly #lengths = new Column(fourBytes);
  readonly #postings = new Map<string, Posting>();
  /** How words of the question begin: most words of a text are told apart by that alone. */
  readonly #beginnings = new Uint8Array(0x1_0000);
  /** The terms of the question that a word is or has the stem of. */
  readonly #remembered = new Map<string, readonly Posting[]>();
  readonly #names = new Map<string, readonly string[]>();
  #total = 0;

  constructor(question: string) {
    for (const word of tokenize(question)) this.#beginnings[beginningOf(word)] = 1;
    for (const term of termsOf(question))
      if (!this.#postings.has(term))
        this.#postings.set(term, { rows: new Column(fourBytes), counts: new Column(oneByte) });
  }

  #postingsOf(word: string): readonly Posting[] {
    if (this.#beginnings[beginningOf(word)] === 0) return none;
    const known = this.#remembered.get(word);
    if (known) return known;
    if (this.#remembered.size >= mostRemembered) this.#remembered.clear();
    const found = [word, stemOf(word)].flatMap((term) => this.#postings.get(term) ?? []);
    this.#remembered.set(word, found);
    return found;
  }

  #wordsOfName(source: string): readonly string[] {
    const known = this.#names.get(source);
    if (known) return known;
    if (this.#names.size >= mostRemembered) this.#names.clear();
    const words = tokenize(nameOf(source));
    this.#names.set(source, words);
    return words;
  }

  /** Looks at the passage of the next row. */
  add({ text, source }: Named): void {
    const row = this.#lengths.length;
    const counts = new Map<Posting, number>();
    const count = (words: readonly string[], times: number) => {
      for (const word of words)
        for (const posting of this.#postingsOf(word)) counts.set(posting, (counts.get(posting) ?? 0) + times);
    };
    const [words, name] = [tokenize(text), this.#wordsOfName(source)];
    count(words, 1);
    count(name, nameWeight);
    for (const [posting, times] of counts) {
      posting.rows.add(row);
      posting.counts.add(Math.min(255, times));
    }
    // Each word counts as it is and by its stem.
    const length = 2 * (words.length + nameWeight * name.length);
    this.#lengths.add(length);
    this.#total += length;
  }

  /** A score for each row, 0 where it has no word of the question. */
  scores(): Float32Array {
    const scores = new Float32Array(this.#lengths.length);
    const meanLength = this.#total / Math.max(1, scores.length);
    for (const { rows, counts } of this.#postings.values()) {
      const rarity = Math.log(1 + (scores.length - rows.length + 0.5) / (rows.length + 0.5));
      for (let at = 0; at < rows.length; at += 1) {
        const [row, count] = [rows.at(at), counts.at(at)];
        const length = 1 - lengthWeight + (lengthWeight * this.#lengths.at(row)) / meanLength;
        scores[row] =
          (scores[row] ?? 0) + (rarity * count * (saturation + 1)) / (count + saturation * length);
      }
    }
    return scores;
  }
}
