import { describe, expect, it } from 'vitest';
import { createFillCache } from '../../../../functions/training/fill-cache.ts';
import { EpsilonError } from '../../../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../../../lib/errors/store-errors.ts';
import { fillCache } from '../../../../lib/operations/models/fill-cache.ts';
import type { CacheTarget } from '../../../../lib/ports/serving/cache-store.ts';
import { devSettings, objectStoreOf, testPorts } from '../../../fixtures/ports.ts';
import { aModel } from '../../../fixtures/records.ts';
import { silentLog } from '../../../fixtures/silent-log.ts';

const bucket = devSettings.dataBucket;
const uriOf = (tenantId: string, run: string) => `s3://${bucket}/${tenantId}/runs/${run}/cache/1/`;
const line = (id: string, text = 'words') => JSON.stringify({ id, text, source: 'a.txt', vector: 'AAAA' });

/** Tenant acme, whose model of the given runs was promoted in this order; the cache stage of the last one wrote `file`. */
async function promoted(
  file: string | undefined,
  {
    runs = ['acme-1', 'acme-2'],
    cacheUri,
    off = false,
  }: { runs?: string[]; cacheUri?: string; off?: boolean } = {},
) {
  const hashes = new Map<string, Map<string, string>>();
  const retired: [string, number][] = [];
  const counts: string[] = [];
  const nameOf = ({ tenantId, runId }: CacheTarget) => `${tenantId}/${runId}`;
  const asked: string[] = [];
  let whileFilling = async () => {};
  const ports = testPorts({
    objects: objectStoreOf({
      stream: async function* (uri) {
        asked.push(uri);
        if (file === undefined) throw new NotFound('OBJECT_NOT_FOUND', uri);
        yield new TextEncoder().encode(file);
      },
    }),
    metrics: { count: (name) => void counts.push(name), duration: () => {} },
    ...(off
      ? {}
      : {
          cacheStore: {
            fill: async (target, batches) => {
              const hash = hashes.get(nameOf(target)) ?? new Map<string, string>();
              hashes.set(nameOf(target), hash);
              for await (const entries of batches) for (const one of entries) hash.set(one.id, one.line);
              await whileFilling();
              return hash.size;
            },
            retire: async (target, seconds) => void retired.push([nameOf(target), seconds]),
            read: async (target, id) => hashes.get(nameOf(target))?.get(id),
          },
        }),
  });
  const promote = async (run: string, fence: number) => {
    const modelVersion = `01JDEYQ000000000000000000${fence}`;
    const model = aModel({
      tenantId: 'acme',
      runId: run,
      modelVersion,
      cacheUri: cacheUri ?? uriOf('acme', run),
    });
    await ports.models.register(model);
    await ports.models.promote({
      tenantId: 'acme',
      modelVersion,
      fence,
      at: '2026-11-24T03:00:00.000Z',
      reason: 'run',
    });
  };
  for (const [at, run] of runs.entries()) await promote(run, at + 1);
  const invoke = () =>
    createFillCache(ports)(
      { source: 'epsilon.training', detail: { tenantId: 'acme' } } as never,
      { log: silentLog } as never,
    );
  return {
    hashes,
    retired,
    counts,
    asked,
    fill: () => fillCache(ports, 'acme'),
    invoke,
    meanwhile: (work: () => Promise<void>) => {
      whileFilling = work;
    },
    promote,
  };
}

describe('fillCache', () => {
  it('fillCache puts each line of the live model’s file under its id, and lets the model before go in an hour', async () => {
    const { fill, hashes, retired, asked } = await promoted(`${line('a')}\n${line('b')}\n`);
    expect(await fill()).toMatchObject({ outcome: 'filled', entries: 2 });
    expect(asked).toEqual([`${uriOf('acme', 'acme-2')}cache.jsonl`]);
    expect([...(hashes.get('acme/acme-2') ?? [])]).toEqual([
      ['a', line('a')],
      ['b', line('b')],
    ]);
    expect(retired).toEqual([['acme/acme-1', 3_600]]);
  });

  it.each([
    ['a model whose stage filled the cache itself is left', undefined, {}, 'no-file'],
    ['a tenant without a model is left', 'x', { runs: [] }, 'no-model'],
    ['nothing is read where there is no cache', 'x', { off: true }, 'off'],
  ])('fillCache: %s', async (_, file, more, outcome) => {
    const { fill, hashes, retired } = await promoted(file, more);
    expect(await fill()).toMatchObject({ outcome });
    expect([...hashes.values()].every((hash) => hash.size === 0) && retired.length === 0).toBe(true);
  });

  it('fillCache retires what it filled when another model went live meanwhile, whose event fills the cache again', async () => {
    const one = await promoted(line('a'));
    one.meanwhile(() => one.promote('acme-3', 3));
    expect(await one.fill()).toMatchObject({ outcome: 'superseded' });
    expect(one.retired).toEqual([['acme/acme-2', 3_600]]);
  });

  it.each([
    ['that is not JSON', 'epsilon:beta:run:passages'],
    ['without an id', '{"text":"x"}'],
    ['whose id is no text', '{"id":{"$":"epsilon:beta"}}'],
    ['whose id is too long', line('x'.repeat(2_000))],
    ['that is too long', line('a', 'x'.repeat(70_000))],
  ])(
    'T7: a file of a hostile cache stage with a line %s is refused for good, and what is there of it goes',
    async (_, bad) => {
      const { invoke, retired, counts } = await promoted(`${line('a')}\n${bad}\n`);
      expect(await invoke()).toEqual({ outcome: 'refused' });
      expect(retired).toEqual([['acme/acme-2', 1]]);
      expect(counts).toEqual(['CacheFilesRefused']);
    },
  );

  it('T7: the key follows from the records alone, and a record that names another tenant’s file is refused', async () => {
    const own = await promoted(line('epsilon:beta:beta-1:passages'));
    await own.fill();
    expect([...own.hashes.keys()]).toEqual(['acme/acme-2']);
    const other = await promoted(line('a'), { cacheUri: uriOf('beta', 'beta-1') });
    await expect(other.fill()).rejects.toMatchObject({ code: 'CACHE_FILE_REFUSED' });
    expect(other.asked).toEqual([]);
  });

  it('fillCache fails, to be repeated, when the cache is out of reach', async () => {
    const one = await promoted(line('a'));
    one.meanwhile(() => Promise.reject(new EpsilonError('CACHE_UNAVAILABLE', 'no answer')));
    await expect(one.invoke()).rejects.toMatchObject({ code: 'CACHE_UNAVAILABLE' });
  });
});
