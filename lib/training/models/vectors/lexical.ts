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

/** Words of passages, for questions in the same words: BM25, with stems and with the names of the documents. */
export class LexicalIndex {
  readonly #lengths: Float64Array;
  readonly #meanLength: number;
  /** Term to the rows that have it, each with how often. */
  readonly #postings = new Map<string, { readonly rows: number[]; readonly counts: number[] }>();

  constructor(passages: readonly Named[]) {
    this.#lengths = new Float64Array(passages.length);
    let total = 0;
    for (const [row, { text, source }] of passages.entries()) {
      const terms = termsOf(text);
      const name = termsOf(nameOf(source));
      for (let times = 0; times < nameWeight; times += 1) terms.push(...name);
      this.#add(row, terms);
      this.#lengths[row] = terms.length;
      total += terms.length;
    }
    this.#meanLength = total / Math.max(1, passages.length);
  }

  #add(row: number, terms: readonly string[]): void {
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      const posting = this.#postings.get(term) ?? { rows: [], counts: [] };
      posting.rows.push(row);
      posting.counts.push(count);
      this.#postings.set(term, posting);
    }
  }

  /** A score for each row, 0 where it has no word of the question. */
  scores(question: string): Float64Array {
    const scores = new Float64Array(this.#lengths.length);
    for (const term of new Set(termsOf(question))) {
      const { rows, counts } = this.#postings.get(term) ?? { rows: [], counts: [] };
      const rarity = Math.log(1 + (scores.length - rows.length + 0.5) / (rows.length + 0.5));
      for (const [at, row] of rows.entries()) {
        const count = counts[at] ?? 0;
        const length = 1 - lengthWeight + (lengthWeight * (this.#lengths[row] ?? 0)) / this.#meanLength;
        scores[row] =
          (scores[row] ?? 0) + (rarity * count * (saturation + 1)) / (count + saturation * length);
      }
    }
    return scores;
  }
}
