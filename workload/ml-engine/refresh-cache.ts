import { createHash } from 'node:crypto';
import { createClient } from 'redis';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { cacheKey } from '../../lib/training/models/cache-key.ts';
import { ArtifactWriter } from '../job/artifacts.ts';
import { type Candidate, openCandidate } from '../job/candidate.ts';
import type { JobContext } from '../job/context.ts';
import { Interrupted, JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted } from '../job/run-job.ts';

/** Entries per round trip, and per piece of the file. */
const batch = 500;

interface Entry {
  readonly id: string;
  readonly text: string;
  readonly source: string;
  /** The vector as little-endian floats, base64. */
  readonly vector: string;
}

/** An entry with its line in the cache file. */
interface Line {
  readonly id: string;
  readonly json: string;
}

/** Entries of the candidate, some at a time, with what they amount to. */
class Entries {
  readonly #context: JobContext;
  readonly #candidate: Candidate;
  readonly #hash = createHash('sha256');
  count = 0;

  constructor(context: JobContext, candidate: Candidate) {
    this.#context = context;
    this.#candidate = candidate;
  }

  async *batches(): AsyncGenerator<readonly Line[]> {
    let lines: Line[] = [];
    for await (const { passage, vector } of this.#candidate.entries()) {
      const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
      const { id, text, source } = passage;
      const entry: Entry = { id, text, source, vector: bytes.toString('base64') };
      lines.push({ id, json: JSON.stringify(entry) });
      if (lines.length === batch) {
        yield this.#count(lines);
        lines = [];
      }
    }
    if (lines.length > 0) yield this.#count(lines);
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for await (const lines of this.batches())
      yield Buffer.from(lines.map(({ json }) => `${json}\n`).join(''));
  }

  #count(lines: readonly Line[]): readonly Line[] {
    checkInterrupted(this.#context);
    for (const { json } of lines) this.#hash.update(json).update('\n');
    this.count += lines.length;
    this.#context.report({ done: this.count, total: this.#candidate.rows, unit: 'entries' });
    return lines;
  }

  /** SHA-256 of all lines; asked for once, at the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** Fills Redis under keys of this run; readers are switched by promotion, never by this. */
async function fillRedis(context: JobContext, url: string, entries: Entries): Promise<string> {
  const key = cacheKey(context);
  const client = createClient({ url, socket: { connectTimeout: 5_000, reconnectStrategy: false } });
  client.on('error', () => {});
  try {
    await client.connect();
    for await (const lines of entries.batches())
      await client.hSet(
        key,
        lines.flatMap(({ id, json }) => [id, json]),
      );
    const stored = await client.hLen(key);
    if (stored !== entries.count)
      throw new JobFailure(
        jobExit.tryAgain,
        'CACHE_INCOMPLETE',
        `Redis holds ${stored} of ${entries.count} entries.`,
      );
    return key.replace(/:passages$/, '');
  } catch (error) {
    throw asRedisFailure(error, url);
  } finally {
    client.destroy();
  }
}

/** Whatever the server's trouble, another try may meet a better one; the URL may hold a password and stays out. */
function asRedisFailure(error: unknown, url: string): unknown {
  if (error instanceof JobFailure || error instanceof Interrupted || error instanceof EpsilonError)
    return error;
  return new JobFailure(
    jobExit.tryAgain,
    'CACHE_UNAVAILABLE',
    `Redis did not take the entries: ${(error as Error).message.replaceAll(url, '(url)')}.`,
  );
}

/** Writes the entries to a file the embedded runtime reads, and reads it back. */
async function fillFile(context: JobContext, writer: ArtifactWriter, entries: Entries): Promise<void> {
  const written = await writer.write('cache.jsonl', entries.pieces());
  const hash = createHash('sha256');
  for await (const piece of context.objects.stream(`${context.output}cache.jsonl`)) hash.update(piece);
  if (hash.digest('hex') !== written)
    throw new JobFailure(
      jobExit.tryAgain,
      'CACHE_INCOMPLETE',
      'The cache file does not read back as it was written.',
    );
}

/** Fills the tenant's cache: Redis where REDIS_URL is set, otherwise a file, from which `fillCache` fills the one on AWS. */
export async function refreshCache(context: JobContext) {
  const entries = new Entries(context, await openCandidate(context));
  const writer = new ArtifactWriter(context);
  const { redisUrl } = context;
  if (redisUrl === undefined) await fillFile(context, writer, entries);
  const where =
    redisUrl === undefined
      ? { cache: 'file' }
      : { cache: 'redis', redisPrefix: await fillRedis(context, redisUrl, entries) };
  const facts = { ...where, entries: entries.count, cacheUri: context.output };
  const outputBytes = await writer.close(facts);
  return { ...facts, outputBytes, checksums: { cache: entries.digest() } };
}
