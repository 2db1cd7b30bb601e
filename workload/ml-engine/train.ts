import { artifactNames } from '../../lib/training/candidate.ts';
import { modelTypes } from '../../lib/training/stages.ts';
import { beginSkipGram, type SkipGramOptions, trainEpoch } from '../../lib/training/vectors/skip-gram.ts';
import { encodeModel } from '../../lib/training/vectors/word-model.ts';
import { ArtifactWriter } from '../job/artifacts.ts';
import type { JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted, type JobArguments } from '../job/run-job.ts';
import { dropCheckpoints, fingerprintOf, latestCheckpoint, saveCheckpoint } from './checkpoints.ts';
import { type Corpus, loadCorpus } from './corpus.ts';

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

/** Epochs from where the last whole checkpoint left off; every epoch's loss is reported and its state saved. */
async function trainAll(context: JobContext, corpus: Corpus, options: SkipGramOptions) {
  const fingerprint = fingerprintOf({ ...options, checksum: corpus.checksum, tokens: corpus.tokens });
  const found = await latestCheckpoint(context, fingerprint);
  const state = found?.state ?? beginSkipGram(corpus.words.length, options);
  const resumedFrom = found ? state.epoch : 0;
  if (found) context.progress('resuming from a checkpoint', { epoch: state.epoch, uri: found.uri });
  const losses: number[] = [];
  while (state.epoch < options.epochs) {
    checkInterrupted(context);
    const loss = trainEpoch(corpus.rows, corpus.counts, state, options);
    if (!Number.isFinite(loss))
      throw new JobFailure(jobExit.data, 'DATA_NAN', `The loss of epoch ${state.epoch} is ${loss}.`);
    losses.push(Number(loss.toFixed(4)));
    await saveCheckpoint(context, state, fingerprint);
    context.progress('epoch done', { epoch: state.epoch, of: options.epochs, loss: losses.at(-1) });
    // A signal can only arrive while the event loop turns.
    await new Promise<void>((resolve) => setImmediate(resolve));
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
