import { createHash } from 'node:crypto';
import { FingerprintSet } from '../../lib/documents/fingerprints.ts';
import { readingOptions } from '../../lib/documents/found.ts';
import { type Passage, passagesOf } from '../../lib/documents/passages.ts';
import { Tally } from '../../lib/documents/tally.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { readDocuments } from '../../lib/files/documents.ts';
import { findJudged, type JudgedFiles } from '../../lib/files/judged-documents.ts';
import { sharedOwner } from '../../lib/quality/datasets/jobs.ts';
import { tokenize } from '../../lib/training/models/vectors/tokens.ts';
import { ArtifactWriter } from '../job/artifacts.ts';
import { inputUri, type JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted, runJob } from '../job/run-job.ts';

/** Fewer usable documents than this are no data set. */
const fewestDocuments = 10;

/** Passages per shard. */
const shardSize = 1_000;

/** Things left out that the result names; the rest is counted. */
const namedInResult = 12;

/** Writes passages shard by shard, each text once. */
class Shards {
  readonly #writer: ArtifactWriter;
  readonly #seen = new FingerprintSet();
  readonly #checksum = createHash('sha256');
  #shards = 0;
  #lines: string[] = [];
  passages = 0;
  duplicates = 0;
  tokens = 0;

  constructor(writer: ArtifactWriter) {
    this.#writer = writer;
  }

  async add(passage: Passage): Promise<void> {
    if (!this.#seen.add(passage.id)) {
      this.duplicates += 1;
      return;
    }
    this.passages += 1;
    this.tokens += tokenize(passage.text).length;
    this.#lines.push(`${JSON.stringify(passage)}\n`);
    if (this.#lines.length === shardSize) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    const name = `passages-${String(this.#shards).padStart(5, '0')}.jsonl`;
    const digest = await this.#writer.write(name, this.#lines.join(''));
    this.#checksum.update(this.#shards === 0 ? digest : `\n${digest}`);
    this.#shards += 1;
    this.#lines = [];
  }

  /** Writes the last shard; the checksum of all. */
  async close(): Promise<string> {
    await this.#flush();
    return this.#checksum.digest('hex');
  }
}

/** A file that cannot be read as its kind explains too few documents better than their number does. */
function betterReason(tally: Tally): string | undefined {
  const named = tally.named.find(({ reason }) => reason === 'noColumn' || reason === 'badRow');
  if (!named) return undefined;
  return /\.(csv|tsv)(\.gz)?(#|$)/i.test(named.source) ? 'DATA_CSV' : 'DATA_JSONL';
}

function checkUsable(tally: Tally, shards: Shards, uri: string): void {
  const { found, used } = tally.counts;
  const left = tally.describe();
  const because = left === '' ? '' : `: ${left}`;
  if (found === 0)
    throw new JobFailure(jobExit.noInput, 'DOCUMENTS_EMPTY', `There are no documents at ${uri}${because}.`);
  if (used >= fewestDocuments && shards.passages > 0) return;
  throw new JobFailure(
    jobExit.data,
    betterReason(tally) ?? 'DATA_TOO_FEW_DOCUMENTS',
    `${used} usable document${used === 1 ? '' : 's'} at ${uri}, at least ${fewestDocuments} are needed (${found} found${because}).`,
  );
}

const unusable: Readonly<Record<string, number>> = {
  DOCUMENTS_NOT_FOUND: jobExit.noInput,
  DOCUMENTS_UNREADABLE: jobExit.permission,
  DATA_NOT_JUDGED: jobExit.data,
};

/** Errors of the documents are the tenant's: the job ends with an exit code that says so. */
async function asJobFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const exit = error instanceof EpsilonError ? unusable[error.code] : undefined;
    throw exit === undefined
      ? error
      : new JobFailure(exit, (error as EpsilonError).code, (error as Error).message);
  }
}

/** The files that may be trained on: all, or those that the quality checks have judged. */
async function filesOf(context: JobContext): Promise<JudgedFiles> {
  const { judgedDigest: digest, judgedAt: at } = context.options;
  if (digest === undefined || at === undefined) return { accept: () => true, later: 0 };
  return findJudged(context.objects, inputUri(context, 'documents'), { digest, at });
}

/** Reads the documents and writes their passages; how many files came after the quality check and were left out. */
async function gather(context: JobContext, tally: Tally, shards: Shards): Promise<number> {
  const { objects, options } = context;
  const { accept, later } = await filesOf(context);
  const reading = { ...readingOptions(options), accept };
  for await (const found of readDocuments(objects, inputUri(context, 'documents'), reading)) {
    checkInterrupted(context);
    const text = tally.take(found);
    if (text !== undefined) for (const passage of passagesOf(found.source, text)) await shards.add(passage);
    context.report({ done: tally.counts.found, unit: 'documents' });
  }
  // One of them may have been replaced while the others were read.
  await filesOf(context);
  return later;
}

async function prepare(context: JobContext) {
  const writer = new ArtifactWriter(context);
  const tally = new Tally(context.options.maxDocuments);
  const shards = new Shards(writer);
  const later = await asJobFailure(() => gather(context, tally, shards));
  checkUsable(tally, shards, inputUri(context, 'documents'));
  const checksum = await shards.close();
  const facts = {
    documents: { ...tally.counts, duplicatePassages: shards.duplicates },
    ...(later === 0 ? {} : { afterTheCheck: later }),
    ...(tally.named.length === 0 ? {} : { leftOut: tally.named.slice(0, namedInResult) }),
    passages: shards.passages,
    tokens: shards.tokens,
    checksum,
  };
  const outputBytes = await writer.close(facts);
  return { ...facts, outputBytes, uri: context.output, checksums: { data: checksum } };
}

await runJob({
  options: { 'tenant-id': { type: 'string' }, output: { type: 'string' }, profile: { type: 'boolean' } },
  // Data of several tenants that is small shares a job, which is none of theirs.
  owner: ({ 'tenant-id': owner, profile }) => (profile && owner === sharedOwner ? sharedOwner : undefined),
  run: async (context, { output, profile }) => {
    if (profile) return (await import('./profile.ts')).profileData(context);
    if (output !== context.output)
      throw new JobFailure(
        jobExit.usage,
        'USAGE',
        `--output ${String(output)} is not this attempt's prefix ${context.output}.`,
      );
    return prepare(context);
  },
});
