import { artifactNames } from '../../lib/training/models/candidate.ts';
import { Embedder } from '../../lib/training/models/vectors/embedder.ts';
import { decodeFlatIndex, type FlatIndex } from '../../lib/training/models/vectors/flat-index.ts';
import { decodeModel } from '../../lib/training/models/vectors/word-model.ts';
import { type Passage, readArtifact, readManifest, readPassages } from './artifacts.ts';
import { inputOf, type JobContext } from './context.ts';
import { JobFailure, jobExit } from './failure.ts';

/** A trained model with its index and passages, everything checked against its manifest. */
export interface Candidate {
  readonly embedder: Embedder;
  readonly index: FlatIndex;
  readonly ids: readonly string[];
  readonly passages: ReadonlyMap<string, Passage>;
}

/** Loads model, index and passages of a run and checks that they belong together. */
export async function loadCandidate(context: JobContext): Promise<Candidate> {
  const { objects } = context;
  const [modelPrefix, indexPrefix] = [inputOf(context, 'model'), inputOf(context, 'index')];
  const [modelManifest, indexManifest] = await Promise.all([
    readManifest(objects, modelPrefix),
    readManifest(objects, indexPrefix),
  ]);
  const embedder = new Embedder(
    decodeModel(await readArtifact(objects, modelPrefix, modelManifest, artifactNames.model)),
  );
  const index = decodeFlatIndex(await readArtifact(objects, indexPrefix, indexManifest, artifactNames.index));
  const ids = JSON.parse(
    new TextDecoder().decode(await readArtifact(objects, indexPrefix, indexManifest, 'ids.json')),
  ) as string[];
  if (index.dimensions !== embedder.dimensions) {
    throw new JobFailure(
      jobExit.data,
      'DATA_DIMENSION',
      `The model has ${embedder.dimensions} dimensions, the index ${index.dimensions}.`,
    );
  }
  if (ids.length !== index.vectors.length / index.dimensions) {
    throw new JobFailure(
      jobExit.data,
      'DATA_COUNT',
      `The index has ${index.vectors.length / index.dimensions} rows for ${ids.length} passages.`,
    );
  }
  const { passages } = await readPassages(objects, inputOf(context, 'data'));
  return { embedder, index, ids, passages: new Map(passages.map((passage) => [passage.id, passage])) };
}
