import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { forecastOf, measureState } from '../../../local/state/usage.ts';
import { freshDir } from '../../fresh-dir.ts';

/** A state directory with files of these sizes, each last changed on a date. */
function stateOf(files: Readonly<Record<string, readonly [bytes: number, date: string]>>): string {
  const root = freshDir();
  for (const [name, [bytes, date]] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), Buffer.alloc(bytes, 1));
    utimesSync(join(root, name), new Date(date), new Date(date));
  }
  return root;
}

describe('the measure of a state directory', () => {
  it('says what the space is for, whose it is, and on which day it was taken', () => {
    const usage = measureState(
      stateOf({
        'objects/data/acme/runs/r1/train/1/model.bin': [40_000, '2026-11-20'],
        'objects/data/acme/runs/r2/train/1/model.bin': [40_000, '2026-11-21'],
        'objects/data/acme/documents/a.md': [8_000, '2026-11-20'],
        'objects/data/zeta/runs/r3/prepare/1/x.jsonl': [4_000, '2026-11-21'],
        'objects/data/zeta/model.bin': [4_000, '2026-11-21'],
        'objects/data/nights/list.json': [4_000, '2026-11-21'],
        'jobs/j1/stdout.log': [4_000, '2026-11-21'],
        'store.db': [16_000, '2026-11-22'],
        'store.db-wal': [4_000, '2026-11-22'],
        'state.json': [100, '2026-11-19'],
      }),
    );
    const parts = Object.fromEntries(usage.parts.map(({ part, files }) => [part, files]));
    expect(parts).toEqual({
      'objects of runs': 3,
      documents: 1,
      models: 1,
      'other objects': 1,
      jobs: 1,
      records: 2,
      other: 1,
    });
    expect(usage.parts[0]?.part).toBe('objects of runs');
    expect(usage.tenants.map(({ tenantId, runs }) => [tenantId, runs])).toEqual([
      ['acme', 2],
      ['zeta', 1],
    ]);
    expect(usage.bytes).toBeGreaterThan(124_000);
    expect(usage.bytes).toBe(usage.parts.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(usage.perDay.map(({ date }) => date)).toEqual(['2026-11-19', '2026-11-20', '2026-11-21']);
    expect(usage.free).toBeGreaterThan(0);
  });
});

describe('the forecast of a disk', () => {
  const now = Date.parse('2026-11-26T12:00:00Z');
  const perDay = (...days: readonly (readonly [string, number])[]) =>
    days.map(([date, bytes]) => ({ date, bytes }));

  it('takes the mean of the last two weeks, days without anything included', () => {
    const usage = {
      free: 1_000,
      perDay: perDay(['2026-10-01', 9_999], ['2026-11-23', 300], ['2026-11-26', 100]),
    };
    expect(forecastOf(usage, now)).toEqual({ bytesPerDay: 100, days: 10, date: '2026-12-06' });
  });

  it('says that a disk is full today', () => {
    const usage = { free: 10, perDay: perDay(['2026-11-25', 300], ['2026-11-26', 100]) };
    expect(forecastOf(usage, now)).toEqual({ bytesPerDay: 200, days: 0, date: '2026-11-26' });
  });

  it.each([
    ['nothing was written', []],
    ['all was written on one day', [['2026-11-26', 100]]],
    [
      'it was long ago',
      [
        ['2026-10-01', 100],
        ['2026-10-02', 100],
      ],
    ],
    [
      'it is a hundred years away',
      [
        ['2026-11-25', 1e-3],
        ['2026-11-26', 1e-3],
      ],
    ],
  ] as const)('says nothing when %s', (_, days) => {
    expect(forecastOf({ free: 1_000, perDay: perDay(...days) }, now)).toBeUndefined();
  });
});
