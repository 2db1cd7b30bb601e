import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { LiveModel } from '../../training/models/model.ts';
import { BestRows, type Hit } from '../../training/models/vectors/best-rows.ts';
import { Embedder } from '../../training/models/vectors/embedder.ts';
import {
  checkDimensions,
  decodeFlatHeader,
  type FlatHeader,
  headerBytes,
  readFlatRows,
  scoreOf,
} from '../../training/models/vectors/flat-index.ts';
import { QuestionWords } from '../../training/models/vectors/lexical.ts';
import { readRowIds } from '../../training/models/vectors/row-ids.ts';
import { decodeModel } from '../../training/models/vectors/word-model.ts';
import { type Objects, PassageFiles } from './passage-files.ts';

/** One answer. */
export interface SearchAnswer {
  readonly id: string;
  /**
   * What answers are ordered by. Of a model of the reference workload: how well the words of the passage and of its document
   * fit, 1 for the best, and to that 0.15 times the cosine of the angle between question and passage. Of any other model the cosine alone.
   */
  readonly score: number;
  readonly source: string;
  readonly text: string;
}

/** A tenant's live index and passages; they are read piece by piece for each question, and only what is answered is kept. */
export interface VectorSearch {
  readonly dimensions: number;
  /** The `k` passages nearest to a question's vector; `QUERY_UNKNOWN_WORDS` where the model gave none. */
  nearest(question: string, vector: Float32Array | undefined, k: number): Promise<SearchAnswer[]>;
}

/** A tenant's live model, ready to answer. */
export interface Search {
  /** The `k` best passages; `QUERY_UNKNOWN_WORDS` when neither the model nor a passage knows a word of the question. */
  ask(question: string, k: number): Promise<SearchAnswer[]>;
}

/** What the cosine counts beside the words; measured, together with the words' own weights, by `npm run bench -- search`. */
const cosineWeight = 0.15;

function unknownWords({ tenantId }: LiveModel, question: string): EpsilonError {
  return new EpsilonError(
    'QUERY_UNKNOWN_WORDS',
    `The model of "${tenantId}" knows no word of ${JSON.stringify(question)}.`,
  );
}

function answerOf({ id, source, text }: Omit<SearchAnswer, 'score'>, score: number): SearchAnswer {
  return { id, score: Number(score.toFixed(4)), source, text };
}

/** The files of a live index. */
class IndexFiles {
  readonly #objects: Objects;
  readonly #live: LiveModel;
  readonly header: FlatHeader;

  private constructor(objects: Objects, live: LiveModel, header: FlatHeader) {
    this.#objects = objects;
    this.#live = live;
    this.header = header;
  }

  static async open(objects: Objects, live: LiveModel): Promise<IndexFiles> {
    const [begin, info] = await Promise.all([
      objects.get(live.indexUri, { first: headerBytes }),
      objects.head(live.indexUri),
    ]);
    return new IndexFiles(objects, live, decodeFlatHeader(begin, info?.size));
  }

  /** Gives each row's inner product with a vector, in order. */
  async score(vector: Float32Array, take: (row: number, score: number) => void): Promise<void> {
    checkDimensions(vector, this.header.dimensions);
    for await (const rows of readFlatRows(this.#objects.stream(this.#live.indexUri)))
      for (let at = 0; at * rows.dimensions < rows.vectors.length; at += 1)
        take(rows.firstRow + at, scoreOf(rows, vector, at));
  }

  ids(): AsyncGenerator<string> {
    return readRowIds(this.#objects.stream(this.#live.indexUri.replace(/[^/]+$/, 'ids.json')));
  }
}

/** Opens index and passages that are live, for questions that somebody else embeds. */
export async function openVectorSearch(objects: Objects, live: LiveModel): Promise<VectorSearch> {
  const index = await IndexFiles.open(objects, live);
  const passages = new PassageFiles(objects, live.dataUri);
  return {
    dimensions: index.header.dimensions,
    nearest: async (question, vector, k) => {
      if (!vector) throw unknownWords(live, question);
      const best = new BestRows(k);
      await index.score(vector, (row, score) => best.add(row, score));
      const wanted = new Set(best.hits.map(({ row }) => row));
      const ids = new Map<number, string>();
      let row = 0;
      for await (const id of index.ids()) {
        if (wanted.has(row)) ids.set(row, id);
        row += 1;
      }
      const found = await passages.of(new Set(ids.values()));
      return best.hits.map((hit) => {
        const id = ids.get(hit.row) ?? '';
        return answerOf(found.get(id) ?? { id, source: '', text: '' }, hit.score);
      });
    },
  };
}

/** Has the words of each row looked at; gives the number of each row's passage. Passages without a vector have no row. */
async function lookAt(index: IndexFiles, passages: PassageFiles, words: QuestionWords): Promise<Uint32Array> {
  const numbers = new Uint32Array(index.header.rows);
  const ids = index.ids();
  let row = 0;
  let next = await ids.next();
  let number = 0;
  for await (const passage of passages.all()) {
    if (next.done) break;
    if (passage.id === next.value) {
      words.add(passage);
      numbers[row] = number;
      row += 1;
      next = await ids.next();
    }
    number += 1;
  }
  if (!next.done || row !== numbers.length)
    throw new EpsilonError(
      'DATA_COUNT',
      `The index has ${numbers.length} rows; passages were found of ${row}${next.done ? '' : `, and none of ${next.value}`}.`,
    );
  return numbers;
}

/** The rows that fit best by words and by vector; none when neither knows a word of the question. */
function bestOf(lexical: Float32Array, cosines: Float32Array | undefined, k: number): readonly Hit[] {
  const best = lexical.reduce((most, score) => Math.max(most, score), 0);
  const rows = new BestRows(k);
  if (best === 0 && !cosines) return [];
  for (let row = 0; row < lexical.length; row += 1) {
    const [words, cosine] = [lexical[row] ?? 0, cosines?.[row] ?? 0];
    rows.add(row, best === 0 ? cosine : words / best + cosineWeight * cosine);
  }
  return rows.hits;
}

/**
 * Opens the pair that is live: model and index always of the same version. The model is one of the reference workload: vectors of
 * words find what is said in other words, and the words themselves what names are for. A question reads index and passages once, and
 * of them keeps some bytes a row. Errors: `DATA_COUNT` where index and passages do not belong together.
 */
export async function openSearch(objects: Objects, live: LiveModel): Promise<Search> {
  const embedder = new Embedder(decodeModel(await objects.get(live.modelUri)));
  const index = await IndexFiles.open(objects, live);
  const passages = new PassageFiles(objects, live.dataUri);
  return {
    ask: async (question, k) => {
      const words = new QuestionWords(question);
      const numbers = await lookAt(index, passages, words);
      const vector = embedder.embed(question);
      const cosines = vector ? new Float32Array(index.header.rows) : undefined;
      if (vector && cosines)
        await index.score(vector, (row, score) => {
          cosines[row] = score;
        });
      const hits = bestOf(words.scores(), cosines, k);
      if (hits.length === 0) throw unknownWords(live, question);
      const found = await passages.at(hits.map(({ row }) => numbers[row] ?? 0));
      return hits.flatMap(({ row, score }) => {
        const passage = found.get(numbers[row] ?? 0);
        return passage ? [answerOf(passage, score)] : [];
      });
    },
  };
}
