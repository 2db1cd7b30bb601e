import { describe, expect, it } from 'vitest';
import { hourly, type Reading } from '../../../lib/scaling/hourly-series.ts';
import { carefully, censored, learnPerReplica, type Usage } from '../../../lib/scaling/usage.ts';

const start = Date.UTC(2026, 0, 5);
const slot = 300_000;
const asked = { requestCores: 0.5, maxReplicas: 20 };

/** Noise that is the same in every run, between -1 and 1. */
const noise = (at: number) => Math.sin(at * at * 12.9898);

/** A week of a service of which a request takes 9 ms of a core and an idle replica 0.05: a replica carries 50 a second. */
function week(over: { readonly idle?: number; readonly noise?: number; readonly most?: number } = {}) {
  const { idle = 0.05, noise: wide = 0.02, most = 20 } = over;
  const readings: Reading[] = [];
  const usage: Usage[] = [];
  for (let at = 0; at < 7 * 288; at += 1) {
    const load = 300 + 250 * Math.sin((at / 288) * 2 * Math.PI);
    const ready = Math.min(most, Math.max(3, Math.ceil(load / 35)));
    const cores = (idle * ready + 0.009 * load) * (1 + wide * noise(at));
    readings.push({ at: start + at * slot, value: load });
    usage.push({ at: start + at * slot + 1_000, cores, ready });
  }
  return { readings, usage };
}

describe('load of a replica', () => {
  it('load of a replica is learned with its error, and planned with less', () => {
    const { readings, usage } = week();
    const learned = learnPerReplica(readings, usage, asked);
    expect(Math.abs(learned.perReplica - 50)).toBeLessThan(1);
    expect(Math.abs(learned.perReplica - 50)).toBeLessThan(4 * learned.error + 0.05);
    expect(learned).toMatchObject({ days: 7, readings: 7 * 288 });
    expect(carefully(learned)).toBeLessThan(learned.perReplica);
  });

  it('times at which every replica was in use say nothing of it', () => {
    const { readings, usage } = week({ most: 10 });
    const wrong = usage.map((use) => (use.ready === 10 ? { ...use, cores: 5 } : use));
    const learned = learnPerReplica(readings, wrong, { ...asked, maxReplicas: 10 });
    expect(Math.abs(learned.perReplica - 50)).toBeLessThan(1);
  });

  it('values that are no numbers or below 0 are left out', () => {
    const { readings, usage } = week();
    const bad = usage.map((use, at) => (at % 7 === 0 ? { ...use, cores: at % 2 ? Number.NaN : -1 } : use));
    expect(Math.abs(learnPerReplica(readings, bad, asked).perReplica - 50)).toBeLessThan(1);
  });

  it.each<[string, ReturnType<typeof week>]>([
    ['without use', { readings: week().readings, usage: [] }],
    ['of one day', { readings: week().readings, usage: week().usage.slice(0, 288) }],
    ['that idle replicas use up', week({ idle: 0.6 })],
    ['of noise', week({ noise: 60 })],
    ['of nothing', { readings: week().readings.map((one) => ({ ...one, value: 0 })), usage: week().usage }],
  ])('load of a replica %s is not learned', (_, { readings, usage }) => {
    expect(() => learnPerReplica(readings, usage, asked)).toThrow(
      expect.objectContaining({ code: 'SCALING_NOT_LEARNED' }),
    );
  });
});

describe('hours in which more might have come', () => {
  it('hour at the largest number of replicas counts as no less than the same hour of other days', () => {
    const busy = (hour: number) => hour % 24 >= 9 && hour % 24 < 12;
    const eighth = (hour: number) => Math.floor(hour / 24) === 8;
    const hours = Array.from({ length: 10 * 24 }, (_, hour) => hour);
    const readings = hours.map((hour) => ({
      at: start + hour * 3_600_000,
      value: busy(hour) ? (eighth(hour) ? 400 : 600) : 100,
    }));
    const usage = hours
      .filter((hour) => busy(hour) && eighth(hour))
      .map((hour) => ({ at: start + hour * 3_600_000, cores: 9, ready: 20 }));
    const of = (found: readonly Reading[]) => hourly(found, 'peak').values.slice(8 * 24 + 9, 8 * 24 + 12);
    expect([...of(readings)]).toEqual([400, 400, 400]);
    expect([...of(censored(readings, usage, 20))]).toEqual([600, 600, 600]);
    expect(hourly(censored(readings, usage, 20), 'peak').notes).toEqual([
      '3 hours in which more might have come: taken as no less than usual',
    ]);
  });

  it('time at which replicas that were wanted were not ready is one', () => {
    const readings = [{ at: start, value: 1 }];
    expect(censored(readings, [{ at: start, cores: 1, ready: 3, wanted: 5 }], 20)[0]?.censored).toBe(true);
    expect(
      censored(readings, [{ at: start, cores: 1, ready: 3, wanted: 3 }], 20)[0]?.censored,
    ).toBeUndefined();
  });
});
