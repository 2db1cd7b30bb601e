import { createClient } from 'redis';
import { ArtifactWriter } from '../job/artifacts.ts';
import { type Candidate, loadCandidate } from '../job/candidate.ts';
import type { JobContext } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted, sha256 } from '../job/run-job.ts';

/** Entries per round trip. */
const batch = 500;

interface Entry {
  readonly id: string;
  readonly text: string;
  readonly source: string;
  /** The vector as little-endian floats, base64. */
  readonly vector: string;
}

function* entriesOf({ ids, index, passages }: Candidate): Generator<Entry> {
  for (const [row, id] of ids.entries()) {
    const passage = passages.get(id);
    if (!passage)
      throw new JobFailure(
        jobExit.data,
        'DATA_COUNT',
        `The index names passage ${id}, which the data does not hold.`,
      );
    const vector = index.vectors.subarray(row * index.dimensions, (row + 1) * index.dimensions);
    yield {
      id,
      text: passage.text,
      source: passage.source,
      vector: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64'),
    };
  }
}

/** Fills Redis under keys of this run; readers are switched by promotion, never by this. */
async function fillRedis(context: JobContext, url: string, entries: readonly Entry[]): Promise<string> {
  const prefix = `epsilon:${context.tenantId}:${context.runId}`;
  const client = createClient({ url, socket: { connectTimeout: 5_000, reconnectStrategy: false } });
  client.on('error', () => {});
  try {
    await client.connect();
    for (let first = 0; first < entries.length; first += batch) {
      checkInterrupted(context);
      const pairs = entries.slice(first, first + batch).flatMap((entry) => [entry.id, JSON.stringify(entry)]);
      await client.hSet(`${prefix}:passages`, pairs);
    }
    const stored = await client.hLen(`${prefix}:passages`);
    if (stored !== entries.length)
      throw new JobFailure(
        jobExit.tryAgain,
        'CACHE_INCOMPLETE',
        `Redis holds ${stored} of ${entries.length} entries.`,
      );
    return prefix;
  } catch (error) {
    if (error instanceof JobFailure) throw error;
    // Whatever the server's trouble, another try may meet a better one; the URL may hold a password and stays out.
    throw new JobFailure(
      jobExit.tryAgain,
      'CACHE_UNAVAILABLE',
      `Redis did not take the entries: ${(error as Error).message.replaceAll(url, '(url)')}.`,
    );
  } finally {
    client.destroy();
  }
}

/** Fills the tenant's cache: Redis where REDIS_URL is set, otherwise a file the embedded runtime reads. */
export async function refreshCache(context: JobContext) {
  const entries = [...entriesOf(await loadCandidate(context))];
  const writer = new ArtifactWriter(context);
  const body = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  const where =
    context.redisUrl === undefined
      ? { cache: 'file' }
      : { cache: 'redis', redisPrefix: await fillRedis(context, context.redisUrl, entries) };
  if (context.redisUrl === undefined) {
    await writer.write('cache.jsonl', body);
    const back = await context.objects.get(`${context.output}cache.jsonl`);
    if (sha256(back) !== sha256(body))
      throw new JobFailure(
        jobExit.tryAgain,
        'CACHE_INCOMPLETE',
        'The cache file does not read back as it was written.',
      );
  }
  const facts = { ...where, entries: entries.length, cacheUri: context.output };
  await writer.close(facts);
  return { ...facts, checksums: { cache: sha256(body) } };
}
