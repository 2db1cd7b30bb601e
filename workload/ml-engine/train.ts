import { artifactNames } from '../../lib/training/models/candidate.ts';
import {
  beginSkipGram,
  planEpoch,
  type SkipGramOptions,
  type SkipGramState,
  trainSlice,
} from '../../lib/training/models/vectors/skip-gram.ts';
import { encodeModel } from '../../lib/training/models/vectors/word-model.ts';
import { modelTypes } from '../../lib/training/stages.ts';
import { ArtifactWriter } from '../job/artifacts.ts';
import type { JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted, type JobArguments } from '../job/run-job.ts';
import { dropCheckpoints, fingerprintOf, latestCheckpoint, saveCheckpoint } from './checkpoints.ts';
import { type Corpus, loadCorpus } from './corpus.ts';

/** A training under way. */
interface Training {
  readonly corpus: Corpus;
  readonly state: SkipGramState;
  readonly options: SkipGramOptions;
  /** Names data, seed and shape in its checkpoints. */
  readonly fingerprint: Buffer;
}

/** Dimensions where the tenant's options name none. */
const defaultDimensions = 64;

function optionsOf(context: JobContext, args: JobArguments): SkipGramOptions {
  const modelType = String(args['model-type'] ?? '');
  if (!(modelTypes as readonly string[]).includes(modelType)) {
    throw new JobFailure(
      jobExit.usage,
      'MODEL_TYPE_UNKNOWN',
      `Model type "${modelType}" cannot be trained (known: ${modelTypes.join(', ')}).`,
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

/** Positions trained between two looks at the world, about a tenth of a second: so soon a SIGTERM is heard. */
const slicePositions = 2_000;

/** One epoch, or what is left of it. Asked to stop, it saves where it stands, within the epoch, and leaves. */
async function trainEpoch(
  context: JobContext,
  { corpus, state, options, fingerprint }: Training,
): Promise<number> {
  const plan = planEpoch(corpus.rows, corpus.counts, state);
  for (;;) {
    const loss = trainSlice(plan, state, options, slicePositions);
    // A signal can only arrive while the event loop turns.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (context.signal.aborted) {
      await saveCheckpoint(context, state, fingerprint);
      context.progress('stopping', { epoch: state.epoch, at: state.at });
      checkInterrupted(context);
    }
    if (loss !== undefined) return loss;
  }
}

/** Epochs from where the last whole checkpoint left off; every epoch's loss is reported and its state saved. */
async function trainAll(context: JobContext, corpus: Corpus, options: SkipGramOptions) {
  const fingerprint = fingerprintOf({ ...options, checksum: corpus.checksum, tokens: corpus.tokens });
  const found = await latestCheckpoint(context, fingerprint);
  const state = found?.state ?? beginSkipGram(corpus.words.length, options);
  const resumedFrom = found ? state.epoch : 0;
  if (found)
    context.progress('resuming from a checkpoint', { epoch: state.epoch, at: state.at, uri: found.uri });
  const losses: number[] = [];
  while (state.epoch < options.epochs) {
    const loss = await trainEpoch(context, { corpus, state, options, fingerprint });
    if (!Number.isFinite(loss))
      throw new JobFailure(jobExit.data, 'DATA_NAN', `The loss of epoch ${state.epoch} is ${loss}.`);
    losses.push(Number(loss.toFixed(4)));
    await saveCheckpoint(context, state, fingerprint);
    context.progress('epoch done', { epoch: state.epoch, of: options.epochs, loss: losses.at(-1) });
  }
  return { state, losses, resumedFrom };
}

/** Trains the tenant's word vectors. */
export async function train(context: JobContext, args: JobArguments) {
  const options = optionsOf(context, args);
  const corpus = await loadCorpus(context);
  const { tokens, tokensFound } = corpus;
  context.progress('corpus loaded', { tokens, tokensFound, words: corpus.words.length });
  const { state, losses, resumedFrom } = await trainAll(context, corpus, options);
  const writer = new ArtifactWriter(context);
  const model = {
    modelType: String(args['model-type']),
    dimensions: options.dimensions,
    words: corpus.words,
    counts: corpus.counts,
    vectors: state.input,
  };
  const checksum = await writer.write(artifactNames.model, encodeModel(model));
  const facts = {
    modelUri: context.output + artifactNames.model,
    words: corpus.words.length,
    dimensions: options.dimensions,
    tokens,
    ...(tokens < tokensFound ? { cappedFrom: tokensFound } : {}),
    epochs: options.epochs,
    resumedFrom,
    losses,
  };
  await writer.close(facts);
  await dropCheckpoints(context);
  return { ...facts, checksums: { model: checksum } };
}
