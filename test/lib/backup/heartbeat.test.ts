import { describe, expect, it } from 'vitest';
import { heartbeatAt, judgeHeartbeats } from '../../../lib/backup/cloud/heartbeat.ts';

const point = '2026-11-24T03:00:00.000Z';
const ago = (minutes: number) => heartbeatAt(Date.parse(point) - minutes * 60_000);
const all = (minutes: number) => ({ database: ago(minutes), table: ago(minutes), objects: ago(minutes) });

describe('restored heartbeats', () => {
  it('the worst store is the loss, and how far apart the stores are is shown', () => {
    const ledger = all(-12);
    const { check, figures } = judgeHeartbeats(
      { database: ago(1), table: ago(0), objects: ago(-9) },
      ledger,
      point,
    );
    expect(check).toEqual({ name: 'heartbeat', count: 3, faults: [] });
    expect(figures).toMatchObject({ lossMinutes: 13, skewMinutes: 10 });
  });

  it.each([
    ['has none', { ...all(0), database: null }, 'database: it holds no heartbeat'],
    ['is long before the moment', { ...all(0), table: ago(6) }, 'table: its heartbeat'],
  ])('F35: a store that %s is a fault', (_, restored, why) => {
    expect(judgeHeartbeats(restored, all(0), point).check.faults).toEqual([expect.stringContaining(why)]);
  });

  it('what was never acknowledged before the moment is missed by nobody', () => {
    expect(judgeHeartbeats(all(40), all(40), point)).toMatchObject({
      check: { count: 3, faults: [] },
      figures: { lossMinutes: 0, skewMinutes: 0 },
    });
    expect(judgeHeartbeats({ table: ago(0), database: null }, { table: ago(0) }, point).check.faults).toEqual(
      [],
    );
  });

  it('where no store has any, nothing was checked', () => {
    expect(judgeHeartbeats({ table: null, objects: null }, {}, point)).toEqual({
      check: { name: 'heartbeat', count: 0, faults: [] },
      figures: { restored: {}, acknowledged: {} },
    });
  });
});
