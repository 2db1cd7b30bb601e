import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handler } from '../../../../functions/training/align-fixed-names.ts';
import { createFileObjectStore } from '../../../../lib/files/file-object-store.ts';
import { alignFixedNames } from '../../../../lib/operations/models/align-fixed-names.ts';
import type { ObjectStore } from '../../../../lib/ports/object-store.ts';
import type { LiveModel } from '../../../../lib/training/models/model.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { type LocalStores, openLocalStores } from '../../../../local/stores/local-stores.ts';
import { testPorts } from '../../../fixtures/ports.ts';
import { aModel } from '../../../fixtures/records.ts';
import { silentLog as silent } from '../../../fixtures/silent-log.ts';
import { freshDir } from '../../../fresh-dir.ts';

const bucket = 'data-bucket';
const root = `s3://${bucket}/acme/`;
const minutes = 60_000;

let stores: LocalStores;
let files: ObjectStore;
let clock: VirtualClock;
let fence = 0;

beforeEach(() => {
  stores = openLocalStores({ stateDir: freshDir() });
  files = createFileObjectStore({ root: freshDir() });
  clock = new VirtualClock(Date.parse('2026-11-24T03:00:00Z'));
  fence = 0;
});

afterEach(() => stores.close());

/** Registers a model with `parts` files of data and lets it answer. */
async function promote(modelVersion: string, parts: number): Promise<LiveModel> {
  const runs = `s3://${bucket}/acme/runs`;
  const base = `${runs}/${modelVersion}/`;
  const names = Array.from({ length: parts }, (_, index) => `prepare/1/passages-${index}.jsonl`);
  for (const name of ['train/1/model.bin', 'index/1/index.faiss', 'prepare/1/manifest.json', ...names])
    await files.put(base + name, `${modelVersion} ${name}`);
  await stores.models.register(aModel({ runs, modelVersion, runId: modelVersion }));
  return again(modelVersion);
}

function again(modelVersion: string): Promise<LiveModel> {
  fence += 1;
  const at = new Date(clock.now()).toISOString();
  return stores.models.promote({ tenantId: 'acme', modelVersion, fence, at, reason: 'manual' });
}

/** One invocation, with the objects as the test changes them. */
function align(holder: string, objects: Partial<ObjectStore> = {}, remainingMs = 15 * minutes) {
  const ports = {
    models: stores.models,
    locks: stores.locks,
    objects: { ...files, ...objects },
    clock,
    config: { dataBucket: bucket } as never,
    log: silent,
  };
  return alignFixedNames(ports, { tenantId: 'acme', holder, remainingMs });
}

/** Which model each fixed name holds, by name; the record's own under `model.json`. */
async function fixedNames(): Promise<Record<string, string>> {
  const names = ['model.bin', 'index.faiss'].map((name) => root + name);
  const data = (await Array.fromAsync(files.list(`${root}training_data/`))).map(({ uri }) => uri);
  const text = async (uri: string) => Buffer.from(await files.get(uri)).toString('utf8');
  const pairs = [...names, ...data].map(
    async (uri) => [uri.slice(root.length), (await text(uri)).split(' ')[0] ?? ''] as const,
  );
  const { modelVersion } = JSON.parse(await text(`${root}model.json`)) as LiveModel;
  return { ...Object.fromEntries(await Promise.all(pairs)), 'model.json': modelVersion };
}

const namesOf = (modelVersion: string, parts: number) =>
  Object.fromEntries(
    [
      'model.bin',
      'index.faiss',
      'model.json',
      'training_data/manifest.json',
      ...Array.from({ length: parts }, (_, index) => `training_data/passages-${index}.jsonl`),
    ].map((name) => [name, modelVersion]),
  );

const unaligned = () => stores.models.listUnaligned({ shard: 0, shards: 1 });

describe('alignFixedNames', () => {
  it('copies what the live record names and notes that it did', async () => {
    const live = await promote('v1', 3);
    expect(await align('a')).toEqual({ outcome: 'aligned', modelVersion: 'v1', copied: 6, removed: 0 });
    expect(await fixedNames()).toEqual(namesOf('v1', 3));
    expect(await stores.models.live('acme')).toEqual({ ...live, fixedNamesAt: '2026-11-24T03:00:00.000Z' });
    expect(await unaligned()).toEqual([]);
  });

  it('removes what an earlier, larger model left', async () => {
    await promote('v1', 5);
    await align('a');
    await promote('v2', 2);
    expect(await align('a')).toMatchObject({ copied: 5, removed: 3 });
    expect(await fixedNames()).toEqual(namesOf('v2', 2));
  });

  it('does nothing twice, and nothing for a tenant without a model', async () => {
    expect(await align('a')).toEqual({ outcome: 'no-model', copied: 0, removed: 0 });
    await promote('v1', 1);
    await align('a');
    const copy = async () => {
      throw new Error('nothing is to be copied');
    };
    expect(await align('b', { copy })).toEqual({
      outcome: 'aligned',
      modelVersion: 'v1',
      copied: 0,
      removed: 0,
    });
  });

  it('hands the size of each object of a list to the copy, which then need not ask for it', async () => {
    await promote('v1', 2);
    const sizes: (number | undefined)[] = [];
    await align('a', {
      copy: (from, to, options) => {
        sizes.push(options?.size);
        return files.copy(from, to, options);
      },
    });
    expect(sizes.filter((size) => size !== undefined)).toHaveLength(2);
  });
});

describe('a promotion event that somebody else could have written', () => {
  const detail = {
    tenantId: 'acme',
    modelVersion: 'v1',
    modelUri: `s3://${bucket}/beta/runs/r/train/model.bin`,
  };
  const event = { source: 'epsilon.training', 'detail-type': 'Model Promoted', detail };
  const send = (sent: unknown) => {
    const ports = testPorts({ clock, models: stores.models, locks: stores.locks, objects: files });
    const config = { ...ports.config, dataBucket: bucket };
    const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 15 * minutes };
    return handler.withPorts({ ...ports, config })(sent, context as never);
  };

  it('F62: changes nothing, whichever model it names: the record says which one is live', async () => {
    await promote('v1', 2);
    await promote('v2', 2);
    await align('a');
    const live = await stores.models.live('acme');
    expect(await send(event)).toMatchObject({
      outcome: 'aligned',
      modelVersion: 'v2',
      copied: 0,
      removed: 0,
    });
    expect(await fixedNames()).toEqual(namesOf('v2', 2));
    expect(await stores.models.live('acme')).toEqual(live);
  });

  it.each([
    ['another source', { ...event, source: 'epsilon.jobs' }],
    ['another type', { ...event, 'detail-type': 'Job State Change' }],
    ['a path for a tenant', { ...event, detail: { ...detail, tenantId: '../beta' } }],
  ])('is refused with %s', async (_, forged) => {
    await promote('v1', 1);
    await expect(send(forged)).rejects.toMatchObject({ code: 'EVENT_SCHEMA' });
    expect(await unaligned()).toHaveLength(1);
  });
});

describe('an alignment during which another model is promoted', () => {
  it.each([
    ['before the first copy', 0],
    ['half-way through the copies', 3],
    ['at the manifest, after the second look', 6],
  ])('aligns with the newer one: %s', async (_, at) => {
    await promote('v1', 4);
    let copies = 0;
    const copy: ObjectStore['copy'] = async (from, to, options) => {
      if (copies === at) await promote('v2', 2);
      copies += 1;
      await files.copy(from, to, options);
    };
    expect(await align('a', { copy })).toMatchObject({ outcome: 'aligned', modelVersion: 'v2' });
    expect(await fixedNames()).toEqual(namesOf('v2', 2));
    expect(await unaligned()).toEqual([]);
  });

  it('aligns with the newer one when the event of that comes before the lock is given back', async () => {
    await promote('v1', 1);
    let second: Awaited<ReturnType<typeof align>> | undefined;
    const noteAligned: LocalStores['models']['noteAligned'] = async (request) => {
      const noted = await own(request);
      if (second) return noted;
      await promote('v2', 1);
      second = await align('b');
      return noted;
    };
    const own = stores.models.noteAligned;
    stores = { ...stores, models: { ...stores.models, noteAligned } };
    expect(await align('a')).toMatchObject({ outcome: 'aligned', modelVersion: 'v2' });
    expect(second).toMatchObject({ outcome: 'busy', modelVersion: 'v2', copied: 0 });
    expect(await fixedNames()).toEqual(namesOf('v2', 1));
  });

  it('aligns with a model that is promoted, left and promoted again', async () => {
    await promote('v1', 2);
    await promote('v2', 3);
    await again('v1');
    await align('a');
    expect(await fixedNames()).toEqual(namesOf('v1', 2));
    await again('v2');
    await again('v1');
    expect(await unaligned()).toHaveLength(1);
    await align('a');
    expect(await fixedNames()).toEqual(namesOf('v1', 2));
  });
});

describe('an alignment that dies half-way', () => {
  it('is not noted; the next one waits until no late copy can arrive, and does all of it', async () => {
    await promote('v1', 3);
    let copies = 0;
    const never = new Promise<void>(() => {});
    const died = align('dead', {
      copy: async (from, to, options) => {
        copies += 1;
        if (copies > 2) return never;
        return files.copy(from, to, options);
      },
    });
    void died;
    while (copies <= 2) await new Promise<void>((resolve) => setImmediate(resolve));
    expect(await unaligned()).toHaveLength(1);
    expect(await align('next')).toMatchObject({ outcome: 'busy' });
    await clock.advance(15 * minutes);
    expect(await align('next')).toMatchObject({ outcome: 'busy' });
    await clock.advance(1 * minutes);
    expect(await align('next')).toMatchObject({ outcome: 'aligned', copied: 6 });
    expect(await fixedNames()).toEqual(namesOf('v1', 3));
  });

  it('lets the next one in at once when it failed, and only after its last copy is over', async () => {
    await promote('v1', 3);
    const under = { way: 0 };
    const copy: ObjectStore['copy'] = async (from, to, options) => {
      under.way += 1;
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (from.endsWith('model.bin')) {
        under.way -= 1;
        throw Object.assign(new Error('slow down'), { code: 'THROTTLED' });
      }
      await files.copy(from, to, options);
      under.way -= 1;
    };
    await expect(align('a', { copy })).rejects.toMatchObject({ code: 'THROTTLED' });
    expect(under.way).toBe(0);
    expect(await unaligned()).toHaveLength(1);
    expect(await align('b')).toMatchObject({ outcome: 'aligned' });
  });

  it('begins nothing when its time is nearly over, and leaves the names to the next one', async () => {
    await promote('v1', 40);
    const copy: ObjectStore['copy'] = async (from, to, options) => {
      await clock.advance(1_000);
      await files.copy(from, to, options);
    };
    await expect(align('a', { copy }, 12_000)).rejects.toMatchObject({
      code: 'ALIGNMENT_UNFINISHED',
      retryable: true,
    });
    expect(await unaligned()).toHaveLength(1);
    expect(await align('b')).toMatchObject({ outcome: 'aligned', copied: 43 });
  });
});
