import { artifactNames } from '../../lib/training/models/candidate.ts';
import {
  beginVectors,
  rateOf,
  type SkipGramOptions,
  type SkipGramShape,
  type SkipGramState,
  shapeOf,
} from '../../lib/training/models/vectors/skip-gram.ts';
import { type ChunkPlanner, makePlanner } from '../../lib/training/models/vectors/skip-gram-chunk.ts';
import { makeMemory } from '../../lib/training/models/vectors/skip-gram-kernel.ts';
import {
  fillSigmoids,
  layoutOf,
  type SkipGramLayout,
} from '../../lib/training/models/vectors/skip-gram-memory.ts';
import { lossOf } from '../../lib/training/models/vectors/skip-gram-steps.ts';
import { encodeModel } from '../../lib/training/models/vectors/word-model.ts';
import { ArtifactWriter } from '../job/artifacts.ts';
import type { JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted, type JobArguments } from '../job/run-job.ts';
import { type Checkpointed, dropCheckpoints, fingerprintOf, resume, saveCheckpoint } from './checkpoints.ts';
import { type Corpus, loadCorpus } from './corpus.ts';
import { startThreads, type TrainingThreads } from './threads.ts';

/** The model type that these jobs train. */
const onlyModelType = 'skipgram';

/** Dimensions where the tenant's options name none. */
const defaultDimensions = 64;

/** Version of the algorithm: a checkpoint of another one is not resumed. */
const algorithm = 2;

/** A training under way. */
interface Training extends Checkpointed {
  readonly corpus: Corpus;
  readonly options: SkipGramOptions;
  readonly shape: SkipGramShape;
  readonly layout: SkipGramLayout;
  readonly buffer: SharedArrayBuffer;
  readonly planner: ChunkPlanner;
  readonly threads: TrainingThreads;
  /** Names data, seed and shape in its checkpoints. */
  readonly fingerprint: Buffer;
}

function optionsOf(context: JobContext, args: JobArguments): SkipGramOptions {
  const modelType = String(args['model-type'] ?? '');
  if (modelType !== onlyModelType) {
    throw new JobFailure(
      jobExit.usage,
      'MODEL_TYPE_UNKNOWN',
      `Model type "${modelType}" cannot be trained (known: ${onlyModelType}).`,
    );
  }
  const epochs = Number(args['epochs']);
  if (!Number.isInteger(epochs) || epochs < 1 || epochs > 10_000)
    throw new JobFailure(
      jobExit.usage,
      'USAGE',
      `--epochs ${String(args['epochs'])} is not a number from 1 to 10,000.`,
    );
  return {
    dimensions: context.options.dimensions ?? defaultDimensions,
    window: 5,
    negatives: 8,
    epochs,
    learningRate: 0.1,
    seed: context.seed,
  };
}

/** Memory, threads and planner of a training that has not begun. */
async function openTraining(
  context: JobContext,
  corpus: Corpus,
  options: SkipGramOptions,
): Promise<Training> {
  const shape = shapeOf(corpus.length);
  const threadCount = Math.min(context.cpus, shape.partitions);
  const words = corpus.words.length;
  const layout = layoutOf(words, options, shape, threadCount);
  const memory = makeMemory(layout.bytes);
  const { buffer } = memory;
  fillSigmoids(buffer, layout);
  const floats = layout.stride / 4;
  beginVectors(new Float32Array(buffer, layout.input, words * floats), floats, options);
  const state: SkipGramState = { epoch: 0, at: 0, loss: 0, pairs: 0 };
  context.progress('training opened', { threads: threadCount, simd: memory.wasm !== undefined });
  return {
    corpus,
    options,
    shape,
    layout,
    buffer,
    state,
    input: new Uint8Array(buffer, layout.input, words * layout.stride),
    output: new Uint8Array(buffer, layout.output, words * layout.stride),
    planner: makePlanner(buffer, layout, corpus.counts, options, shape),
    threads: await startThreads({ memory, layout, shape, options, threads: threadCount }),
    fingerprint: fingerprintOf({ ...options, algorithm, checksum: corpus.checksum, tokens: corpus.tokens }),
  };
}

/** Trains the next chunk of the epoch under way. */
async function trainChunk(training: Training): Promise<void> {
  const { corpus, state, options, shape, planner, threads } = training;
  const from = state.at * shape.chunkRows;
  const rows = await corpus.rows(from, shape.chunkRows);
  const place = { epoch: state.epoch, at: state.at };
  state.pairs += planner.plan(rows, place);
  threads.train(place, rateOf(options, state.epoch, from / corpus.length));
  state.loss += lossOf(training);
  state.at += 1;
}

/** One epoch, or what is left of it. Asked to stop, it saves where it is, within the epoch, and leaves. */
async function trainEpoch(context: JobContext, training: Training): Promise<number> {
  const { corpus, state, options, shape, fingerprint } = training;
  const chunks = Math.ceil(corpus.length / shape.chunkRows);
  while (state.at < chunks) {
    await trainChunk(training);
    context.report({
      done: Number((state.epoch + state.at / chunks).toFixed(3)),
      total: options.epochs,
      unit: 'epochs',
    });
    // A signal can only arrive while the event loop turns.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (context.signal.aborted) {
      await saveCheckpoint(context, training, fingerprint);
      context.progress('stopping', { epoch: state.epoch, at: state.at });
      checkInterrupted(context);
    }
  }
  const loss = state.pairs === 0 ? 0 : state.loss / state.pairs;
  Object.assign(state, { epoch: state.epoch + 1, at: 0, loss: 0, pairs: 0 });
  return loss;
}

/** Epochs from where the last whole checkpoint left off; every epoch's loss is reported and its state saved. */
async function trainAll(context: JobContext, training: Training) {
  const { state, options, fingerprint } = training;
  const found = await resume(context, training, fingerprint);
  const resumedFrom = state.epoch;
  if (found !== undefined)
    context.progress('resuming from a checkpoint', { epoch: state.epoch, at: state.at, uri: found });
  const losses: number[] = [];
  while (state.epoch < options.epochs) {
    const loss = await trainEpoch(context, training);
    if (!Number.isFinite(loss))
      throw new JobFailure(jobExit.data, 'DATA_NAN', `The loss of epoch ${state.epoch} is ${loss}.`);
    losses.push(Number(loss.toFixed(4)));
    await saveCheckpoint(context, training, fingerprint);
    context.progress('epoch done', { epoch: state.epoch, of: options.epochs, loss: losses.at(-1) });
  }
  return { losses, resumedFrom };
}

/** The trained vectors without the padding of their rows. */
function vectorsOf({ buffer, layout, corpus, options }: Training): Float32Array {
  const { dimensions } = options;
  const floats = layout.stride / 4;
  const vectors = new Float32Array(corpus.words.length * dimensions);
  for (let row = 0; row < corpus.words.length; row += 1)
    vectors.set(new Float32Array(buffer, layout.input + row * layout.stride, dimensions), row * dimensions);
  if (floats < dimensions || !vectors.every(Number.isFinite))
    throw new JobFailure(
      jobExit.data,
      'DATA_NAN',
      'A trained vector holds a value that is no finite number.',
    );
  return vectors;
}

/** Trains on a corpus that is loaded and writes the model. */
async function trainModel(context: JobContext, args: JobArguments, corpus: Corpus) {
  const options = optionsOf(context, args);
  const { tokens, tokensFound, words, counts } = corpus;
  context.progress('corpus loaded', { tokens, tokensFound, words: words.length });
  const training = await openTraining(context, corpus, options);
  const { losses, resumedFrom } = await trainAll(context, training).finally(() => training.threads.close());
  const writer = new ArtifactWriter(context);
  const { dimensions } = options;
  const model = { modelType: String(args['model-type']), dimensions, words, counts };
  const checksum = await writer.write(
    artifactNames.model,
    encodeModel({ ...model, vectors: vectorsOf(training) }),
  );
  const facts = {
    modelUri: context.output + artifactNames.model,
    words: words.length,
    dimensions,
    tokens,
    ...(tokens < tokensFound ? { cappedFrom: tokensFound } : {}),
    epochs: options.epochs,
    resumedFrom,
    losses,
  };
  const outputBytes = await writer.close(facts);
  await dropCheckpoints(context);
  return { ...facts, outputBytes, checksums: { model: checksum } };
}

/** Trains the tenant's word vectors. */
export async function train(context: JobContext, args: JobArguments) {
  optionsOf(context, args);
  const corpus = await loadCorpus(context);
  try {
    return await trainModel(context, args, corpus);
  } finally {
    await corpus.drop();
  }
}
