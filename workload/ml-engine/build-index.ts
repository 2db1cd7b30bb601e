import { artifactNames } from '../../lib/training/models/candidate.ts';
import { Embedder } from '../../lib/training/models/vectors/embedder.ts';
import { encodeFlatIndex } from '../../lib/training/models/vectors/flat-index.ts';
import { decodeModel } from '../../lib/training/models/vectors/word-model.ts';
import { ArtifactWriter, readArtifact, readManifest, readPassages } from '../job/artifacts.ts';
import { inputOf, type JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted } from '../job/run-job.ts';

/** Embeds every passage and writes the index in FAISS's format, with the passages' ids in row order. */
export async function buildIndex(context: JobContext) {
  const modelPrefix = inputOf(context, 'model');
  const modelManifest = await readManifest(context.objects, modelPrefix);
  const embedder = new Embedder(
    decodeModel(await readArtifact(context.objects, modelPrefix, modelManifest, artifactNames.model)),
  );
  const { passages } = await readPassages(context.objects, inputOf(context, 'data'));
  const { dimensions } = embedder;
  const vectors = new Float32Array(passages.length * dimensions);
  const ids: string[] = [];
  for (const { id, text } of passages) {
    const vector = embedder.embed(text);
    if (!vector) continue;
    const bad = vector.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new JobFailure(
        jobExit.data,
        'DATA_NAN',
        `The vector of passage ${id} (row ${ids.length}) has ${vector[bad]} at ${bad}.`,
      );
    vectors.set(vector, ids.length * dimensions);
    ids.push(id);
  }
  if (ids.length === 0)
    throw new JobFailure(
      jobExit.data,
      'DATA_NO_VECTORS',
      `None of ${passages.length} passages holds a known word.`,
    );
  checkInterrupted(context);
  const writer = new ArtifactWriter(context);
  const checksum = await writer.write(
    artifactNames.index,
    encodeFlatIndex({ dimensions, vectors: vectors.subarray(0, ids.length * dimensions) }),
  );
  await writer.write('ids.json', JSON.stringify(ids));
  const facts = {
    indexUri: context.output + artifactNames.index,
    vectors: ids.length,
    dimensions,
    withoutVector: passages.length - ids.length,
  };
  await writer.close(facts);
  return { ...facts, checksums: { index: checksum } };
}
