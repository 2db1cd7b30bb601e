import { tokenize } from './tokens.ts';

/** Saturation of a word's frequency and weight of a passage's length: the usual values of BM25 (Robertson, Zaragoza 2009). */
const saturation = 1.2;
const lengthWeight = 0.75;

/** Times that the words of a document's name count. */
const nameWeight = 2;

/** What the words of the whole document count beside those of the passage. */
const documentWeight = 0.5;

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

/** How many words are remembered: most come again and again. */
const mostRemembered = 65_536;

/** A number of a word's first two characters, which it shares with its stem. */
const beginningOf = (word: string) => (word.charCodeAt(0) * 31 + (word.charCodeAt(1) || 0)) & 0xffff;

const none: readonly never[] = [];

/** A term of the question in some units, each with how often (at most 255, where more says no more). */
interface Posting {
  readonly units: Column<Uint32Array>;
  readonly counts: Column<Uint8Array>;
}

/** How often terms are in a unit, by the number of the term. */
type Counts = Map<number, number>;

function addTo(counts: Counts, term: number, times: number): void {
  counts.set(term, (counts.get(term) ?? 0) + times);
}

/** BM25 of the terms of one question over units of text: passages, or documents. */
class Bm25 {
  readonly #lengths = new Column(fourBytes);
  readonly #postings: readonly Posting[];
  #total = 0;

  constructor(terms: number) {
    this.#postings = Array.from({ length: terms }, () => ({
      units: new Column(fourBytes),
      counts: new Column(oneByte),
    }));
  }

  /** Units so far. */
  get length(): number {
    return this.#lengths.length;
  }

  add(counts: Counts, length: number): void {
    for (const [term, times] of counts) {
      this.#postings[term]?.units.add(this.length);
      this.#postings[term]?.counts.add(Math.min(255, times));
    }
    this.#lengths.add(length);
    this.#total += length;
  }

  /** A score for each unit, 1 for the best, 0 where it has no term. */
  scores(): Float32Array {
    const scores = new Float32Array(this.length);
    const meanLength = this.#total / Math.max(1, this.length);
    let best = 0;
    for (const { units, counts } of this.#postings) {
      const rarity = Math.log(1 + (this.length - units.length + 0.5) / (units.length + 0.5));
      for (let at = 0; at < units.length; at += 1) {
        const [unit, count] = [units.at(at), counts.at(at)];
        const length = 1 - lengthWeight + (lengthWeight * this.#lengths.at(unit)) / meanLength;
        const score =
          (scores[unit] ?? 0) + (rarity * count * (saturation + 1)) / (count + saturation * length);
        scores[unit] = score;
        best = Math.max(best, score);
      }
    }
    return best === 0 ? scores : scores.map((score) => score / best);
  }
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
    const name = tokenize(nameOf(source));
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
