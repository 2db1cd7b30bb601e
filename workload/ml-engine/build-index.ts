import { artifactNames } from '../../lib/training/models/candidate.ts';
import { Embedder } from '../../lib/training/models/vectors/embedder.ts';
import { encodeFlatHeader } from '../../lib/training/models/vectors/flat-index.ts';
import { tokenize } from '../../lib/training/models/vectors/tokens.ts';
import { decodeModel } from '../../lib/training/models/vectors/word-model.ts';
import { ArtifactWriter, readArtifact, readManifest, streamPassages } from '../job/artifacts.ts';
import { inputUri, type JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted } from '../job/run-job.ts';
import { Spool } from '../job/spool.ts';
import { WordListWriter } from './word-lists.ts';

/** Vectors of one block, in bytes, and bytes of vectors that stay in memory; the rest goes to objects. */
const blockBytes = 8 * 1_048_576;
const vectorBudget = 256 * 1_048_576;
const idBudget = 64 * 1_048_576;

/** Vectors and ids of the passages embedded so far. */
class Rows {
  readonly vectors: Spool;
  readonly ids: Spool;
  readonly #dimensions: number;
  readonly #block: Float32Array;
  #names: string[] = [];
  count = 0;

  constructor(context: JobContext, dimensions: number) {
    this.vectors = new Spool(context, 'vectors', vectorBudget);
    this.ids = new Spool(context, 'ids', idBudget);
    this.#dimensions = dimensions;
    this.#block = new Float32Array(Math.ceil(blockBytes / 4 / dimensions) * dimensions);
  }

  async add(id: string, vector: Float32Array): Promise<void> {
    this.#block.set(vector, this.#names.length * this.#dimensions);
    this.#names.push(id);
    this.count += 1;
    if (this.#names.length * this.#dimensions === this.#block.length) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#names.length === 0) return;
    const first = this.count === this.#names.length;
    const floats = this.#block.slice(0, this.#names.length * this.#dimensions);
    await this.vectors.add(new Uint8Array(floats.buffer));
    const names = this.#names.map((name) => JSON.stringify(name)).join(',\n');
    await this.ids.add(Buffer.from(first ? names : `,\n${names}`));
    this.#names = [];
  }
}

/** The vector of a passage; undefined where the model knows none of its words. */
function vectorOf(embedder: Embedder, id: string, words: readonly string[], row: number) {
  const vector = embedder.embedWords(words);
  const bad = vector?.findIndex((value) => !Number.isFinite(value)) ?? -1;
  if (bad < 0) return vector;
  throw new JobFailure(
    jobExit.data,
    'DATA_NAN',
    `The vector of passage ${id} (row ${row}) has ${vector?.[bad]} at ${bad}.`,
  );
}

/** Embeds every passage of the data and lists its words; the number of passages. */
async function embedAll(
  context: JobContext,
  embedder: Embedder,
  rows: Rows,
  lists: WordListWriter,
): Promise<number> {
  const prefix = inputUri(context, 'data');
  const manifest = await readManifest(context.objects, prefix);
  let passages = 0;
  for (const file of manifest.files) {
    lists.beginFile(file.name);
    for await (const passage of streamPassages(context.objects, prefix, { ...manifest, files: [file] })) {
      passages += 1;
      if (passages % 1_000 === 0) {
        checkInterrupted(context);
        context.report({ done: passages, total: Number(manifest.facts['passages']), unit: 'passages' });
      }
      const words = tokenize(passage.text);
      const vector = vectorOf(embedder, passage.id, words, rows.count);
      if (vector) {
        await rows.add(passage.id, vector);
        await lists.add(passage, words);
      } else lists.leaveOut();
    }
  }
  await rows.flush();
  return passages;
}

async function* around(before: Uint8Array, spool: Spool, after: Uint8Array): AsyncGenerator<Uint8Array> {
  yield before;
  yield* spool.all();
  yield after;
}

/** Embeds every passage and writes the index in FAISS's format, with the passages' ids in row order and lists of their words. */
export async function buildIndex(context: JobContext) {
  const modelPrefix = inputUri(context, 'model');
  const modelManifest = await readManifest(context.objects, modelPrefix);
  const embedder = new Embedder(
    decodeModel(await readArtifact(context.objects, modelPrefix, modelManifest, artifactNames.model)),
  );
  const { dimensions } = embedder;
  const rows = new Rows(context, dimensions);
  const writer = new ArtifactWriter(context);
  const lists = new WordListWriter(writer);
  try {
    const passages = await embedAll(context, embedder, rows, lists);
    if (rows.count === 0)
      throw new JobFailure(
        jobExit.data,
        'DATA_NO_VECTORS',
        `None of ${passages} passages holds a known word.`,
      );
    checkInterrupted(context);
    const header = encodeFlatHeader({ dimensions, rows: rows.count });
    const checksum = await writer.write(artifactNames.index, around(header, rows.vectors, new Uint8Array()));
    await writer.write('ids.json', around(Buffer.from('[\n'), rows.ids, Buffer.from('\n]\n')));
    await lists.close();
    const facts = {
      indexUri: context.output + artifactNames.index,
      vectors: rows.count,
      dimensions,
      withoutVector: passages - rows.count,
    };
    const outputBytes = await writer.close(facts);
    return { ...facts, outputBytes, checksums: { index: checksum } };
  } finally {
    await Promise.all([rows.vectors.drop(), rows.ids.drop()]);
  }
}
