import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { LiveModel } from '../../training/models/model.ts';
import { BestRows, type Hit } from '../../training/models/vectors/best-rows.ts';
import { Embedder } from '../../training/models/vectors/embedder.ts';
import { QuestionWords } from '../../training/models/vectors/lexical.ts';
import { decodeModel } from '../../training/models/vectors/word-model.ts';
import { bestByWords, bestOf } from './best-hits.ts';
import { IndexFiles } from './index-files.ts';
import { type Objects, PassageFiles } from './passage-files.ts';
import { WordLists } from './word-lists.ts';

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

function unknownWords({ tenantId }: LiveModel, question: string): EpsilonError {
  return new EpsilonError(
    'QUERY_UNKNOWN_WORDS',
    `The model of "${tenantId}" knows no word of ${JSON.stringify(question)}.`,
  );
}

function answerOf({ id, source, text }: Omit<SearchAnswer, 'score'>, score: number): SearchAnswer {
  return { id, score: Number(score.toFixed(4)), source, text };
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

/** A question, as the model knows it. */
interface Asked {
  readonly question: string;
  readonly vector: Float32Array | undefined;
  readonly k: number;
}

/** What a question found: rows with their scores, and the number of a row's passage. */
interface Answered {
  readonly hits: readonly Hit[];
  readonly passages: PassageFiles;
  readonly passageOf: (row: number) => number | Promise<number>;
}

async function cosinesOf(
  index: IndexFiles,
  vector: Float32Array | undefined,
): Promise<Float32Array | undefined> {
  if (!vector) return undefined;
  const cosines = new Float32Array(index.header.rows);
  await index.score(vector, (row, score) => {
    cosines[row] = score;
  });
  return cosines;
}

/** Answers by reading all passages and the whole index. */
async function askAll(
  objects: Objects,
  live: LiveModel,
  index: IndexFiles,
  { question, vector, k }: Asked,
): Promise<Answered> {
  const passages = new PassageFiles(objects, live.dataUri);
  const words = new QuestionWords(question);
  const numbers = await lookAt(index, passages, words);
  const hits = bestOf(words.scores(), await cosinesOf(index, vector), k);
  return { hits, passages, passageOf: (row) => numbers[row] ?? 0 };
}

/** Answers by the lists of words that the index stage has written. */
async function askLists(
  objects: Objects,
  live: LiveModel,
  index: IndexFiles,
  lists: WordLists,
  { question, vector, k }: Asked,
): Promise<Answered> {
  const lexical = await lists.scores(question);
  const hits =
    (vector && (await bestByWords(index, lexical, vector, k))) ??
    bestOf(lexical, await cosinesOf(index, vector), k);
  const passages = new PassageFiles(objects, live.dataUri, lists.files);
  return { hits, passages, passageOf: (row) => lists.passageOf(row) };
}

/**
 * Opens the pair that is live: model and index always of the same version. The model is one of the reference workload: vectors of
 * words find what is said in other words, and the words themselves what names are for. A question reads the lists of its words and the
 * vectors of what they find; of an index without lists it reads index and passages once. Some bytes a row are kept meanwhile. Errors:
 * `DATA_COUNT` where index, lists and passages do not belong together.
 */
export async function openSearch(objects: Objects, live: LiveModel): Promise<Search> {
  const embedder = new Embedder(decodeModel(await objects.get(live.modelUri)));
  const index = await IndexFiles.open(objects, live);
  const lists = await WordLists.open(objects, live.indexUri, index.header.rows);
  return {
    ask: async (question, k) => {
      const asked = { question, vector: embedder.embed(question), k };
      const { hits, passages, passageOf } = lists
        ? await askLists(objects, live, index, lists, asked)
        : await askAll(objects, live, index, asked);
      if (hits.length === 0) throw unknownWords(live, question);
      const numbers = await Promise.all(hits.map(({ row }) => passageOf(row)));
      const found = await passages.at(numbers);
      return hits.flatMap(({ score }, at) => {
        const passage = found.get(numbers[at] ?? -1);
        return passage ? [answerOf(passage, score)] : [];
      });
    },
  };
}
