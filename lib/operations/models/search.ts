import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { LiveModel } from '../../training/models/model.ts';
import { Embedder } from '../../training/models/vectors/embedder.ts';
import {
  decodeFlatIndex,
  type FlatIndex,
  type Hit,
  scoreOf,
  search,
} from '../../training/models/vectors/flat-index.ts';
import { LexicalIndex } from '../../training/models/vectors/lexical.ts';
import { decodeModel } from '../../training/models/vectors/word-model.ts';

/** One answer. */
export interface SearchAnswer {
  readonly id: string;
  /**
   * What answers are ordered by. Of a model of the reference workload: how well the passage's words fit, 1 for the best, and to that
   * half the cosine of the angle between question and passage. Of any other model the cosine alone.
   */
  readonly score: number;
  readonly source: string;
  readonly text: string;
}

/** A tenant's live index and passages. */
export interface VectorSearch {
  readonly dimensions: number;
  /** The `k` passages nearest to a question's vector; `QUERY_UNKNOWN_WORDS` where the model gave none. */
  nearest(question: string, vector: Float32Array | undefined, k: number): SearchAnswer[];
}

/** A tenant's live model, ready to answer. */
export interface Search {
  /** The `k` best passages; `QUERY_UNKNOWN_WORDS` when neither the model nor a passage knows a word of the question. */
  ask(question: string, k: number): SearchAnswer[];
}

type Passage = Omit<SearchAnswer, 'score'>;

/** What a search reads from. */
type Objects = Pick<ObjectStore, 'get' | 'list'>;

async function passagesOf(objects: Objects, prefix: string): Promise<Map<string, Passage>> {
  const passages = new Map<string, Passage>();
  for await (const { uri } of objects.list(prefix)) {
    if (!uri.endsWith('.jsonl')) continue;
    for (const line of new TextDecoder().decode(await objects.get(uri)).split('\n')) {
      if (line === '') continue;
      const passage = JSON.parse(line) as Passage;
      passages.set(passage.id, passage);
    }
  }
  return passages;
}

/** What the cosine counts beside the words; measured, together with the words' own weights, by `npm run bench -- search`. */
const cosineWeight = 0.5;

/** An index with the passage of each row. */
interface Rows {
  readonly index: FlatIndex;
  readonly passages: readonly Passage[];
}

async function openRows(objects: Objects, live: LiveModel): Promise<Rows> {
  const index = decodeFlatIndex(await objects.get(live.indexUri));
  const idsUri = live.indexUri.replace(/[^/]+$/, 'ids.json');
  const ids = JSON.parse(new TextDecoder().decode(await objects.get(idsUri))) as string[];
  const known = await passagesOf(objects, live.dataUri);
  return { index, passages: ids.map((id) => ({ id, source: '', text: '', ...known.get(id) })) };
}

function unknownWords({ tenantId }: LiveModel, question: string): EpsilonError {
  return new EpsilonError(
    'QUERY_UNKNOWN_WORDS',
    `The model of "${tenantId}" knows no word of ${JSON.stringify(question)}.`,
  );
}

function answersOf({ passages }: Rows, hits: readonly Hit[]): SearchAnswer[] {
  return hits.map(({ row, score }) => {
    const { id = '', source = '', text = '' } = passages[row] ?? {};
    return { id, score: Number(score.toFixed(4)), source, text };
  });
}

/** Loads index and passages that are live, for questions that somebody else embeds. */
export async function openVectorSearch(objects: Objects, live: LiveModel): Promise<VectorSearch> {
  const rows = await openRows(objects, live);
  return {
    dimensions: rows.index.dimensions,
    nearest: (question, vector, k) => {
      if (!vector) throw unknownWords(live, question);
      return answersOf(rows, search(rows.index, vector, k));
    },
  };
}

/** The rows that fit best by words and by vector; none when neither knows a word of the question. */
function bestOf({ index }: Rows, lexical: Float64Array, vector: Float32Array | undefined, k: number): Hit[] {
  const best = lexical.reduce((most, score) => Math.max(most, score), 0);
  if (best === 0) return vector ? search(index, vector, k) : [];
  const hits = Array.from(lexical, (score, row) => ({
    row,
    score: score / best + (vector ? cosineWeight * scoreOf(index, vector, row) : 0),
  }));
  return hits.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, k);
}

/**
 * Loads the pair that is live: model and index always of the same version. The model is one of the reference workload: vectors of
 * words find what is said in other words, and the words themselves what names are for.
 */
export async function openSearch(objects: Objects, live: LiveModel): Promise<Search> {
  const embedder = new Embedder(decodeModel(await objects.get(live.modelUri)));
  const rows = await openRows(objects, live);
  let words: LexicalIndex | undefined;
  return {
    ask: (question, k) => {
      words ??= new LexicalIndex(rows.passages);
      const hits = bestOf(rows, words.scores(question), embedder.embed(question), k);
      if (hits.length === 0) throw unknownWords(live, question);
      return answersOf(rows, hits);
    },
  };
}
