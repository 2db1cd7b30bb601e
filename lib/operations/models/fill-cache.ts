import { linesOf } from '../../documents/json-lines.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { NotFound } from '../../errors/store-errors.ts';
import type { Ports } from '../../ports/ports.ts';
import type { CacheEntry } from '../../ports/serving/cache-store.ts';
import type { ModelVersion } from '../../training/models/model.ts';

type Needed = Pick<Ports, 'models' | 'objects' | 'config' | 'cacheStore'>;

/**
 * What came of it. `off`: there is no cache to fill. `no-file`: the stage filled the cache itself. `superseded`: another model is live
 * meanwhile, whose event fills the cache again.
 */
export interface CacheFill {
  readonly outcome: 'filled' | 'no-model' | 'off' | 'no-file' | 'superseded';
  readonly modelVersion?: string;
  readonly entries?: number;
}

/** Name of the file that the cache stage leaves below its prefix. */
const cacheFile = 'cache.jsonl';

/** Entries a round trip. */
const batch = 500;

/** Bounds of what a tenant's own code may put into a cache that all tenants share. */
const most = {
  bytesOfALine: 65_536,
  bytesOfAnId: 1_024,
  entries: 1_000_000,
  bytes: 256 * 1_048_576,
} as const;

/** Seconds that the passages of the model before stay: readers may have its record still. */
const keptSeconds = 3_600;

function refused(what: string): EpsilonError {
  return new EpsilonError('CACHE_FILE_REFUSED', `The cache file ${what}; nothing more of it is cached.`, {
    exitCode: exitCodes.badInput,
  });
}

function entryOf(line: Buffer | undefined, number: number): CacheEntry {
  if (line === undefined || line.length > most.bytesOfALine)
    throw refused(`has more than ${most.bytesOfALine} bytes in line ${number}`);
  const text = line.toString('utf8');
  let id: unknown;
  try {
    ({ id } = JSON.parse(text) as { id?: unknown });
  } catch {
    throw refused(`has no JSON object in line ${number}`);
  }
  if (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > most.bytesOfAnId)
    throw refused(`has no "id" of 1 to ${most.bytesOfAnId} bytes in line ${number}`);
  return { id, line: text };
}

/** Entries of a file that foreign code has written, some at a time, within the bounds. Error: `CACHE_FILE_REFUSED`. */
async function* entriesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<readonly CacheEntry[]> {
  let [entries, bytes, number]: [CacheEntry[], number, number] = [[], 0, 0];
  for await (const line of linesOf(pieces)) {
    if (line?.length === 0) continue;
    number += 1;
    bytes += line?.length ?? 0;
    if (number > most.entries) throw refused(`has more than ${most.entries} entries`);
    if (bytes > most.bytes) throw refused(`has more than ${most.bytes} bytes`);
    entries.push(entryOf(line, number));
    if (entries.length < batch) continue;
    yield entries;
    entries = [];
  }
  yield entries;
}

/** The file of the model, which is in its own tenant's part of the bucket: the key in the cache says whose it is. */
function fileOf({ config }: Needed, { tenantId, cacheUri }: ModelVersion): string {
  if (cacheUri.startsWith(`s3://${config.dataBucket}/${tenantId}/runs/`)) return `${cacheUri}${cacheFile}`;
  throw refused(`is not below runs/ of tenant "${tenantId}"`);
}

/**
 * Fills the cache with the passages of a tenant's live model, from the file that its cache stage wrote, and lets those of the model
 * before go. Only this writes to the cache, with keys that follow from records: no job has an address or a token of it. Safe to
 * repeat, and to be cut off anywhere. Errors: `CACHE_FILE_REFUSED`, those of the stores.
 */
export async function fillCache(ports: Needed, tenantId: string): Promise<CacheFill> {
  const { models, objects, cacheStore } = ports;
  const live = await models.live(tenantId);
  const model = live && (await models.get(tenantId, live.modelVersion));
  if (!live || !model) return { outcome: 'no-model' };
  const { modelVersion, runId } = model;
  if (!cacheStore) return { outcome: 'off', modelVersion };
  const target = { tenantId, runId };
  let entries: number;
  try {
    entries = await cacheStore.fill(target, entriesOf(objects.stream(fileOf(ports, model))));
  } catch (error) {
    if (error instanceof NotFound) return { outcome: 'no-file', modelVersion };
    // What is there of a refused file is not what the model answers with.
    if (error instanceof EpsilonError && error.code === 'CACHE_FILE_REFUSED')
      await cacheStore.retire(target, 1);
    throw error;
  }
  const now = await models.live(tenantId);
  if (now?.modelVersion !== modelVersion) {
    await cacheStore.retire(target, keptSeconds);
    return { outcome: 'superseded', modelVersion, entries };
  }
  const before = live.previousVersion && (await models.get(tenantId, live.previousVersion));
  if (before && before.runId !== runId)
    await cacheStore.retire({ tenantId, runId: before.runId }, keptSeconds);
  return { outcome: 'filled', modelVersion, entries };
}
