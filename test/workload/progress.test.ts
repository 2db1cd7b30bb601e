import { describe, expect, it } from 'vitest';
import { parseProgress } from '../../lib/training/attempts/job-progress.ts';
import { publishProgress } from '../../workload/job/progress.ts';

const output = 's3://data/acme/runs/r/train/1/';

/** A store that keeps what is put, when it is let. */
function aStore() {
  const put: { uri: string; body: string }[] = [];
  let gate = Promise.resolve();
  return {
    put,
    block: (until: Promise<void>) => {
      gate = until;
    },
    objects: {
      put: async (uri: string, body: unknown) => {
        put.push({ uri, body: String(body) });
        await gate;
      },
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the object that says how far a job is', () => {
  it('is written below the attempt, at most every five seconds, as watchers read it', async () => {
    const { objects, put } = aStore();
    let now = 0;
    const report = publishProgress(objects, output, () => now);
    for (now of [0, 1_000, 4_999, 5_000]) {
      report({ done: now, total: 9_000, unit: 'rows' });
      await turn();
    }
    expect(put.map(({ uri }) => uri)).toEqual([`${output}progress.json`, `${output}progress.json`]);
    expect(put.map(({ body }) => parseProgress(body))).toEqual([
      { at: '1970-01-01T00:00:00.000Z', done: 0, total: 9_000, unit: 'rows' },
      { at: '1970-01-01T00:00:05.000Z', done: 5_000, total: 9_000, unit: 'rows' },
    ]);
  });

  it('is written once at a time, and its failure stops nobody', async () => {
    const { objects, put, block } = aStore();
    const { promise, reject } = Promise.withResolvers<void>();
    block(promise);
    let now = 0;
    const report = publishProgress(objects, output, () => now);
    report({ done: 1, unit: 'rows' });
    now = 60_000;
    report({ done: 2, unit: 'rows' });
    expect(put).toHaveLength(1);
    reject(new Error('the bucket is away'));
    await turn();
    report({ done: 3, unit: 'rows' });
    expect(put.map(({ body }) => parseProgress(body)?.done)).toEqual([1, 3]);
  });

  it.each([
    'null',
    '[]',
    '{}',
    'not JSON',
    '{"at":"yesterday","done":1,"unit":"rows"}',
    '{"at":"2026-11-26T00:00:00Z","done":"1","unit":"rows"}',
    `{"at":"2026-11-26T00:00:00Z","done":1,"unit":"${'x'.repeat(41)}"}`,
  ])('is not taken for progress when it is %s', (text) => {
    expect(parseProgress(text)).toBeUndefined();
  });
});
