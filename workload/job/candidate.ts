import type { Passage } from '../../lib/documents/passages.ts';
import { artifactNames } from '../../lib/training/models/candidate.ts';
import { Embedder } from '../../lib/training/models/vectors/embedder.ts';
import { type FlatRows, readFlatRows } from '../../lib/training/models/vectors/flat-index.ts';
import { readRowIds } from '../../lib/training/models/vectors/row-ids.ts';
import { decodeModel } from '../../lib/training/models/vectors/word-model.ts';
import { type Manifest, readArtifact, readManifest, streamArtifact, streamPassages } from './artifacts.ts';
import { inputUri, type JobContext } from './context.ts';
import { JobFailure, jobExit } from './failure.ts';

/** A row of the index with the passage it is of. */
export interface CandidateRow {
  readonly row: number;
  readonly passage: Passage;
  readonly vector: Float32Array;
}

/** A trained model with its index and passages, everything checked against its manifest where it is read. */
export interface Candidate {
  readonly embedder: Embedder;
  /** Rows of the index, as its manifest has them. */
  readonly rows: number;
  /** The index alone, some rows at a time. */
  index(): AsyncGenerator<FlatRows>;
  /** Rows in order, each with its passage. */
  entries(): AsyncGenerator<CandidateRow>;
}

/** What is read next of a sequence. */
async function nextOf<T>(sequence: AsyncGenerator<T>): Promise<T | undefined> {
  const { value, done } = await sequence.next();
  return done ? undefined : value;
}

interface Parts {
  readonly index: () => AsyncGenerator<FlatRows>;
  readonly ids: () => AsyncGenerator<string>;
  readonly passages: () => AsyncGenerator<Passage>;
}

function miscounted(rows: number, what: string): JobFailure {
  return new JobFailure(jobExit.data, 'DATA_COUNT', `The index has ${rows} rows for ${what} passages.`);
}

/** Index, ids and passages are in the same order; passages without a vector are only among the passages. */
async function* entriesOf(parts: Parts, rows: number): AsyncGenerator<CandidateRow> {
  const [ids, passages] = [parts.ids(), parts.passages()];
  for await (const { vectors, dimensions, firstRow } of parts.index()) {
    for (let at = 0; at * dimensions < vectors.length; at += 1) {
      const id = await nextOf(ids);
      if (id === undefined) throw miscounted(rows, `${firstRow + at}`);
      let passage = await nextOf(passages);
      while (passage && passage.id !== id) passage = await nextOf(passages);
      if (!passage)
        throw new JobFailure(
          jobExit.data,
          'DATA_COUNT',
          `The index names passage ${id}, which the data does not hold.`,
        );
      const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions);
      yield { row: firstRow + at, passage, vector };
    }
  }
  if ((await nextOf(ids)) !== undefined) throw miscounted(rows, `more than ${rows}`);
  // Read to its end, so that every shard's checksum is checked.
  while (await nextOf(passages));
}

function dimensionsOf(manifest: Manifest): number {
  return Number(manifest.facts['dimensions']);
}

/** Opens model, index and passages of a run and checks that they belong together. */
export async function openCandidate(context: JobContext): Promise<Candidate> {
  const { objects } = context;
  const [model, index, data] = [
    inputUri(context, 'model'),
    inputUri(context, 'index'),
    inputUri(context, 'data'),
  ];
  const [modelManifest, indexManifest, dataManifest] = await Promise.all([
    readManifest(objects, model),
    readManifest(objects, index),
    readManifest(objects, data),
  ]);
  const embedder = new Embedder(
    decodeModel(await readArtifact(objects, model, modelManifest, artifactNames.model)),
  );
  if (dimensionsOf(indexManifest) !== embedder.dimensions)
    throw new JobFailure(
      jobExit.data,
      'DATA_DIMENSION',
      `The model has ${embedder.dimensions} dimensions, the index ${dimensionsOf(indexManifest)}.`,
    );
  const rows = Number(indexManifest.facts['vectors']);
  const parts: Parts = {
    index: () => readFlatRows(streamArtifact(objects, index, indexManifest, artifactNames.index)),
    ids: () => readRowIds(streamArtifact(objects, index, indexManifest, 'ids.json')),
    passages: () => streamPassages(objects, data, dataManifest),
  };
  return { embedder, rows, index: parts.index, entries: () => entriesOf(parts, rows) };
}
