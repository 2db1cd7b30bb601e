import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { encodeFlatIndex } from '../../lib/training/models/vectors/flat-index.ts';
import { encodeModel } from '../../lib/training/models/vectors/word-model.ts';
import { type LocalStores, openLocalStores } from '../../local/stores/local-stores.ts';
import { openStateDirectory } from '../../local/stores/state-directory.ts';
import { modelRoutes } from '../../serving/ml-engine/routes.ts';
import type { ServedModels } from '../../serving/ml-engine/served-models.ts';
import { aModel, aTenant } from '../fixtures/records.ts';
import { freePort } from '../free-port.ts';
import { freshDir } from '../fresh-dir.ts';

const versions = ['01JDEYQ0000000000000000001', '01JDEYQ0000000000000000002'] as const;
const texts = [
  ['ships sail', 'trains run'],
  ['ships sink', 'planes fly'],
] as const;

/** A state directory whose tenant acme has two models, each of two passages; `promote` makes one of them live. */
async function stateOfAcme() {
  const path = join(freshDir(), 'state');
  const state = openStateDirectory(path, 'write');
  const stores: LocalStores = openLocalStores({ stateDir: state.databases });
  const objects = createFileObjectStore({ root: state.objects });
  mkdirSync(state.objects, { recursive: true });
  await stores.tenants.put(aTenant({ tenantId: 'acme' }), 0);
  await stores.tenants.put(aTenant({ tenantId: 'beta' }), 0);
  for (const [at, modelVersion] of versions.entries()) {
    const model = aModel({ tenantId: 'acme', runId: `r${at}`, modelVersion });
    await stores.models.register(model);
    const vectors = Float32Array.of(1, 0, 0, 1);
    const words = {
      modelType: 'skipgram',
      dimensions: 2,
      words: ['ships', 'trains'],
      counts: [3, 1],
      vectors,
    };
    await objects.put(model.modelUri, encodeModel(words));
    await objects.put(model.indexUri, encodeFlatIndex({ dimensions: 2, vectors }));
    await objects.put(model.indexUri.replace('index.faiss', 'ids.json'), JSON.stringify(['p0', 'p1']));
    const lines = texts[at]?.map((text, row) => JSON.stringify({ id: `p${row}`, source: `${row}.md`, text }));
    await objects.put(`${model.dataUri}passages-00000.jsonl`, `${lines?.join('\n')}\n`);
  }
  const promote = (modelVersion: string, fence: number) =>
    stores.models.promote({
      tenantId: 'acme',
      modelVersion,
      fence,
      at: '2026-11-24T03:00:00.000Z',
      reason: 'run',
    });
  return { path, state, stores, objects, promote };
}

let acme: Awaited<ReturnType<typeof stateOfAcme>>;
beforeAll(async () => {
  acme = await stateOfAcme();
  await acme.promote(versions[0], 1);
});
afterAll(() => {
  acme.stores.close();
  acme.state.release();
});

describe('ml-engine beside an embedded control plane', () => {
  it('answers by the model that is live, from the promotion of another on by that, and says what it cannot answer', async () => {
    const [http, metrics] = [await freePort(), await freePort()];
    const child = spawn(process.execPath, ['serving/ml-engine/main.ts'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PORT: `${http}`, METRICS_PORT: `${metrics}`, STATE_DIR: acme.path },
    });
    const said: string[] = [];
    child.stderr.on('data', (text: Buffer) => said.push(text.toString()));
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${http}${path}`);
      return { ...((await response.json()) as Record<string, unknown>), status: response.status };
    };
    try {
      await vi.waitFor(async () => expect((await ask('/ready')).status, said.join('')).toBe(200), 10_000);
      expect(await ask('/query?tenant=acme&q=ships&k=1')).toMatchObject({
        status: 200,
        modelVersion: versions[0],
        answers: [{ id: 'p0', text: 'ships sail', source: '0.md' }],
      });
      await acme.promote(versions[1], 2);
      expect(await ask('/query?tenant=acme&q=ships&k=1')).toMatchObject({
        modelVersion: versions[1],
        answers: [{ text: 'ships sink' }],
      });
      expect(await ask('/passage?tenant=acme&id=p1')).toMatchObject({ from: 'objects', text: 'planes fly' });
      for (const [path, status, code] of [
        ['/query?tenant=acme', 400, 'PARAMETER_MISSING'],
        ['/query?tenant=acme&q=ships&k=0', 400, 'PARAMETER_INVALID'],
        ['/query?tenant=..%2Fbeta&q=ships', 400, 'TENANT_ID_INVALID'],
        ['/query?tenant=nobody&q=ships', 404, 'TENANT_NOT_FOUND'],
        ['/query?tenant=beta&q=ships', 404, 'MODEL_NOT_LIVE'],
        ['/query?tenant=acme&q=xyzzy', 404, 'QUERY_UNKNOWN_WORDS'],
        ['/passage?tenant=acme&id=p9', 404, 'PASSAGE_NOT_FOUND'],
      ] as const)
        expect(await ask(path), path).toMatchObject({ status, code });
      expect((await ask('//')).status).toBe(404);
      expect((await ask('/constructor')).status).toBe(404);
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
      expect(text).toContain('http_requests_total{code="200"} 3\n');
      expect(text).toContain('http_requests_total{code="400"} 3\n');
      expect(text).toContain('http_requests_total{code="500"} 0\n');
    } finally {
      child.kill();
      await new Promise((resolve) => child.once('exit', resolve));
    }
  });
});

describe('an answer of ml-engine', () => {
  const served = (over: Partial<ServedModels> = {}): ServedModels => ({
    models: acme.stores.models,
    tenants: acme.stores.tenants,
    objects: acme.objects,
    ...over,
  });
  const routeOf = (path: string, over: Partial<ServedModels> = {}) => {
    const route = modelRoutes(served(over))[path];
    if (!route) throw new Error(`no route ${path}`);
    return (words: string) => route(new URLSearchParams(words));
  };

  it('comes out of the cache of the live run, and out of the objects where that is empty or away', async () => {
    const asked: unknown[] = [];
    const cached = routeOf('/passage', {
      cache: {
        read: async (target, id) => {
          asked.push([target, id]);
          return JSON.stringify({ id, text: 'cached', source: 'a.md', vector: 'AAAA' });
        },
      },
    });
    const live = await acme.stores.models.live('acme');
    const { runId } = (await acme.stores.models.get('acme', live?.modelVersion ?? '')) ?? {};
    expect(await cached('tenant=acme&id=p1')).toMatchObject({
      code: 200,
      body: { from: 'cache', text: 'cached', source: 'a.md' },
    });
    expect(asked).toEqual([[{ tenantId: 'acme', runId }, 'p1']]);
    for (const read of [async () => undefined, () => Promise.reject(new Error('no server'))])
      expect(await routeOf('/passage', { cache: { read } })('tenant=acme&id=p1')).toMatchObject({
        code: 200,
        body: { from: 'objects' },
      });
  });

  it('tries a model again that could not be read, and tells nobody outside why', async () => {
    let broken = true;
    const warn = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const ask = routeOf('/query', {
      objects: {
        ...acme.objects,
        get: (uri, options) =>
          broken ? Promise.reject(new Error(`secret of ${uri}`)) : acme.objects.get(uri, options),
      },
    });
    expect(await ask('tenant=acme&q=ships')).toEqual({ code: 500, body: { code: 'NOT_ANSWERED' } });
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('secret of'));
    warn.mockRestore();
    broken = false;
    expect(await ask('tenant=acme&q=ships')).toMatchObject({ code: 200 });
  });
});
