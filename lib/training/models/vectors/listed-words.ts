import { Bm25, Column, fourBytes } from './bm25.ts';
import { documentWeight, nameWeight } from './lexical.ts';
import { stemOf, termsOf } from './terms.ts';
import { tokenize } from './tokens.ts';
import { bucketOf, type Occurrences, readBucket } from './word-segment.ts';

/** What the lists of words say of each row, in 32 bits: whether it begins a document, words of the document's name then, words of the passage. */
const begins = 0x8000_0000;
const mostOfName = 0x7fff;
const mostOfPassage = 0xffff;

/** The facts of a row. */
export function rowFacts(words: number, name: readonly string[] | undefined): number {
  const ofName = name === undefined ? 0 : begins + Math.min(mostOfName, name.length) * (mostOfPassage + 1);
  return ofName + Math.min(mostOfPassage, words);
}

/** Where one term of the question is. */
class Found {
  readonly rows = new Column(fourBytes);
  readonly times = new Column(fourBytes);

  add(occurrences: Occurrences): void {
    for (const [row, times] of occurrences) {
      this.rows.add(row);
      this.times.add(times);
    }
  }
}

/** Posts a term with how often it is in each unit; by index, since there is a unit for every row. */
function postAll(to: Bm25, term: number, times: Uint32Array): void {
  for (let unit = 0; unit < times.length; unit += 1) {
    const found = times[unit] ?? 0;
    if (found > 0) to.post(term, unit, found);
  }
}

/**
 * The words of a question in passages whose words were listed when the index was made: the scores of `QuestionWords` without reading the
 * passages. Takes some 30 bytes a row and 13 for each place of a word of the question.
 */
export class ListedWords {
  readonly #facts: Uint32Array;
  readonly #terms = new Map<string, number>();
  readonly #inPassages: readonly Found[];
  readonly #inNames: readonly Found[];
  readonly #asked: ReadonlySet<number>;

  /** `facts`: what `rowFacts` says of each row. */
  constructor(question: string, facts: Uint32Array) {
    this.#facts = facts;
    for (const term of termsOf(question)) if (!this.#terms.has(term)) this.#terms.set(term, this.#terms.size);
    const found = () => Array.from({ length: this.#terms.size }, () => new Found());
    this.#inPassages = found();
    this.#inNames = found();
    this.#asked = new Set(tokenize(question).map(bucketOf));
  }

  /** Buckets of each segment that are to be taken. */
  get buckets(): readonly number[] {
    return [...this.#asked];
  }

  /** A bucket of the next segment. */
  take(bucket: Uint8Array): void {
    for (const { word, inPassages, inNames } of readBucket(bucket)) {
      const terms = [word, stemOf(word)].flatMap((term) => this.#terms.get(term) ?? []);
      const [first] = terms;
      if (first === undefined) continue;
      const [rows, names] = [[...inPassages], [...inNames]];
      for (const term of terms) {
        this.#inPassages[term]?.add(rows);
        this.#inNames[term]?.add(names);
      }
    }
  }

  /** Passages and documents with their lengths; the document of each row, and the first row of each document. */
  #units() {
    const passages = new Bm25(this.#terms.size);
    const documents = new Bm25(this.#terms.size);
    const documentOf = new Uint32Array(this.#facts.length);
    const firsts = new Column(fourBytes);
    let [name, length] = [0, 0];
    for (let row = 0; row < this.#facts.length; row += 1) {
      const facts = this.#facts[row] ?? 0;
      const words = facts & mostOfPassage;
      if (facts >= begins) {
        if (firsts.length > 0) documents.addUnit(length);
        firsts.add(row);
        name = (facts >>> 16) & mostOfName;
        length = 2 * nameWeight * name;
      }
      length += 2 * words;
      passages.addUnit(2 * (words + nameWeight * name));
      documentOf[row] = firsts.length - 1;
    }
    if (firsts.length > 0) documents.addUnit(length);
    return { passages, documents, documentOf, firsts };
  }

  /** A score for each row, as `QuestionWords` gives it. */
  scores(): Float32Array {
    const { passages, documents, documentOf, firsts } = this.#units();
    const rows = this.#facts.length;
    const inPassage = new Uint32Array(rows);
    const inDocument = new Uint32Array(firsts.length);
    for (let term = 0; term < this.#terms.size; term += 1) {
      inPassage.fill(0);
      inDocument.fill(0);
      const add = (to: Uint32Array, at: number, times: number) => {
        to[at] = (to[at] ?? 0) + times;
      };
      const found = this.#inPassages[term] ?? new Found();
      for (let at = 0; at < found.rows.length; at += 1) {
        const [row, times] = [found.rows.at(at), found.times.at(at)];
        add(inPassage, row, times);
        add(inDocument, documentOf[row] ?? 0, times);
      }
      const named = this.#inNames[term] ?? new Found();
      for (let at = 0; at < named.rows.length; at += 1) {
        const document = documentOf[named.rows.at(at)] ?? 0;
        const times = nameWeight * named.times.at(at);
        add(inDocument, document, times);
        const end = document + 1 < firsts.length ? firsts.at(document + 1) : rows;
        for (let row = firsts.at(document); row < end; row += 1) add(inPassage, row, times);
      }
      postAll(passages, term, inPassage);
      postAll(documents, term, inDocument);
    }
    const ofDocuments = documents.scores();
    return passages
      .scores()
      .map((score, row) => score + documentWeight * (ofDocuments[documentOf[row] ?? 0] ?? 0));
  }
}
