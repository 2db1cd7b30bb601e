import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { LiveModel } from '../../training/models/model.ts';
import { Embedder } from '../../training/models/vectors/embedder.ts';
import { decodeFlatIndex, search } from '../../training/models/vectors/flat-index.ts';
import { decodeModel } from '../../training/models/vectors/word-model.ts';

/** One answer. */
export interface SearchAnswer {
  readonly id: string;
  /** Cosine of the angle between question and passage, -1 to 1. */
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
  /** The `k` best passages; `QUERY_UNKNOWN_WORDS` when the model knows no word of the question. */
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

/** Loads index and passages that are live, for questions that somebody else embeds. */
export async function openVectorSearch(objects: Objects, live: LiveModel): Promise<VectorSearch> {
  const index = decodeFlatIndex(await objects.get(live.indexUri));
  const idsUri = live.indexUri.replace(/[^/]+$/, 'ids.json');
  const ids = JSON.parse(new TextDecoder().decode(await objects.get(idsUri))) as string[];
  const passages = await passagesOf(objects, live.dataUri);
  return {
    dimensions: index.dimensions,
    nearest: (question, vector, k) => {
      if (!vector)
        throw new EpsilonError(
          'QUERY_UNKNOWN_WORDS',
          `The model of "${live.tenantId}" knows no word of ${JSON.stringify(question)}.`,
        );
      return search(index, vector, k).map(({ row, score }) => {
        const id = ids[row] ?? '';
        const { source = '', text = '' } = passages.get(id) ?? {};
        return { id, score: Number(score.toFixed(4)), source, text };
      });
    },
  };
}

/** Loads the pair that is live: model and index always of the same version. The model is one of the reference workload. */
export async function openSearch(objects: Objects, live: LiveModel): Promise<Search> {
  const embedder = new Embedder(decodeModel(await objects.get(live.modelUri)));
  const { nearest } = await openVectorSearch(objects, live);
  return { ask: (question, k) => nearest(question, embedder.embed(question), k) };
}
