import { describe, expect, test } from 'vitest';
import { decideScaling, planScaling, type Situation } from '../../../lib/scaling/decide.ts';
import { floorsOf } from '../../../lib/scaling/floors.ts';
import { hourMs, type Reading } from '../../../lib/scaling/hourly-series.ts';
import { highestAhead, replay, specFleet } from '../../../lib/scaling/replay.ts';
import { slotMs } from '../../../lib/scaling/slots.ts';
import { deviationsFor } from '../../../lib/scaling/worth.ts';

const monday = Date.UTC(2026, 0, 5);
const settings = {
  fleet: specFleet,
  economy: { perReplica: 50, nodeHour: 0.03, shortToIdle: 100 },
};

/** Load of a service that opens at 9:00 on working days: from 80 to 600 requests a second within five minutes. */
function office(minute: number): number {
  const day = Math.floor(minute / 1440) % 7;
  const hour = (minute % 1440) / 60;
  return (day < 5 && hour >= 9 && hour < 18 ? 600 : 80) * (1 + 0.04 * Math.sin(minute * 12.9898));
}

const readings = (days: number, hours = 0, of = office): Reading[] =>
  Array.from({ length: (days * 24 + hours) * 12 }, (_, at) => ({
    at: monday + at * 300_000,
    value: of(at * 5),
  }));

/** Tuesday of the fourth week, at an hour and minute. */
const tuesday = (hour: number, minute = 0) => monday + (22 * 24 + hour) * hourMs + minute * 60_000;
const until = (now: number) => readings(29).filter(({ at }) => at < now);
const situation = (now: number, over: Partial<Situation> = {}): Situation => ({
  now,
  readings: until(now),
  minReplicas: 3,
  ...over,
});

describe('decision', () => {
  test('decision at 8:50 raises by a step, so that 9:00 finds its replicas', () => {
    const decision = decideScaling(situation(tuesday(8, 50)), settings);
    expect(decision).toMatchObject({ action: 'raise', minReplicas: 11, alert: false });
    expect(decision.because).toContain('the HPA alone was short in');
    expect(decision.expiresAt).toBe(tuesday(9, 20));
    const next = decideScaling(
      situation(tuesday(9), { minReplicas: 11, raisedAt: tuesday(8, 50) }),
      settings,
    );
    expect(next).toMatchObject({ action: 'raise' });
    expect(next.minReplicas).toBeGreaterThanOrEqual(13);
  });

  test('decision at 3:00 keeps the minimum', () => {
    expect(decideScaling(situation(tuesday(3)), settings)).toMatchObject({ action: 'keep', minReplicas: 3 });
  });

  test('decision after a raise lowers nothing within the cooldown, and then by steps', () => {
    const soon = situation(tuesday(19), { minReplicas: 14, raisedAt: tuesday(18, 50) });
    expect(decideScaling(soon, settings)).toMatchObject({ action: 'keep', minReplicas: 14 });
    const later = situation(tuesday(19), { minReplicas: 14, raisedAt: tuesday(9) });
    expect(decideScaling(later, settings)).toMatchObject({ action: 'lower', minReplicas: 10 });
  });

  test('decision of a load beyond the fleet stays below the maximum', () => {
    const ten = { ...settings, economy: { ...settings.economy, perReplica: 5 } };
    const decision = decideScaling(situation(tuesday(12), { minReplicas: 19 }), ten);
    expect(decision.minReplicas).toBeLessThan(specFleet.maxReplicas);
    expect(decision.minReplicas).toBeGreaterThanOrEqual(specFleet.minReplicas);
  });

  test.each([
    ['no metrics', [], 'no metrics: nothing is decided, and raises expire'],
    [
      'old metrics',
      until(tuesday(8)),
      'the newest metric is 56 minutes old: nothing is decided, and raises expire',
    ],
    [
      'one reading',
      [{ at: tuesday(8, 50), value: 3 }],
      'the history has 0 hours; a forecast needs at least 24',
    ],
    ['nothing but NaN', [{ at: tuesday(8, 50), value: Number.NaN }], 'no metrics'],
  ])('decision with %s holds, alerts and never goes below the minimum', (_, list, because) => {
    const decision = decideScaling(situation(tuesday(8, 51), { readings: list, minReplicas: 9 }), settings);
    expect(decision).toMatchObject({ action: 'hold', minReplicas: 9, alert: true });
    expect(decision.because).toContain(because);
    expect(
      decideScaling(situation(tuesday(8, 51), { readings: list, minReplicas: 0 }), settings).minReplicas,
    ).toBe(3);
  });

  test('decision with a year of zeros keeps the minimum of the fleet', () => {
    const zeros = readings(28, 0, () => 0);
    const now = monday + 28 * 24 * hourMs;
    expect(decideScaling(situation(now, { readings: zeros }), settings)).toMatchObject({
      action: 'keep',
      minReplicas: 3,
      alert: false,
    });
  });

  test('decision of an operator holds until it expires, within the bounds', () => {
    const iso = (at: number) => new Date(at).toISOString();
    const override = { minReplicas: 500, expiresAt: iso(tuesday(3, 20)), reason: 'launch' };
    expect(decideScaling(situation(tuesday(3), { override }), settings)).toMatchObject({
      action: 'raise',
      minReplicas: 19,
      because: 'set by an operator: launch',
      expiresAt: tuesday(3, 20),
    });
    const long = { ...override, expiresAt: iso(tuesday(20)) };
    expect(decideScaling(situation(tuesday(3), { override: long }), settings).expiresAt).toBe(tuesday(3, 30));
    const after = decideScaling(
      situation(tuesday(3), { override: { ...override, expiresAt: iso(tuesday(3)) } }),
      settings,
    );
    expect(after.action).toBe('keep');
  });

  test('decision in quiet hours withdraws raises, to the minimum of those hours', () => {
    const quiet = { minReplicas: 2 };
    expect(decideScaling(situation(tuesday(12), { quiet, minReplicas: 12 }), settings)).toMatchObject({
      action: 'lower',
      minReplicas: 2,
    });
  });

  test.each([
    { minReplicas: 20, maxReplicas: 3 },
    { minReplicas: 0 },
    { minNodes: 5, maxNodes: 2 },
    { maxReplicas: Number.NaN },
  ])('decision within the bounds %j is refused', (bounds) => {
    const fleet = { ...specFleet, ...bounds };
    expect(() => decideScaling(situation(tuesday(3)), { ...settings, fleet })).toThrow(
      expect.objectContaining({ code: 'SCALING_BOUNDS' }),
    );
  });
});

describe('plan', () => {
  test('plan of a load that an HPA can follow is not followed', () => {
    const calm = (minute: number) => 150 + 100 * Math.sin((minute / 1440) * 2 * Math.PI);
    const { worth, floors } = planScaling(readings(28, 0, calm), settings);
    expect(worth).toMatchObject({ engaged: false });
    expect(worth?.because).toContain('nothing to plan for');
    expect(new Set(floors.map(({ replicas }) => replicas))).toEqual(new Set([3]));
  });

  test('plan of seven days is not followed, because nothing says whether it pays', () => {
    const { worth, floors } = planScaling(readings(7), settings);
    expect(worth).toBeUndefined();
    expect(Math.max(...floors.map(({ replicas }) => replicas))).toBe(3);
  });
});

describe('floors', () => {
  const slots = (...loads: number[]) => loads.map((load, at) => ({ at: at * slotMs, load }));
  const rails = { stepUp: 4, stepDown: 2, cooldownMinutes: 20 };

  test('floors rise in steps that end where the load begins, and fall in steps', () => {
    const floors = floorsOf(slots(1, 1, 1, 1, 12, 1, 1, 1, 1, 1, 1), 1, specFleet, rails);
    expect(floors.map(({ replicas }) => replicas)).toEqual([3, 6, 10, 14, 14, 12, 10, 8, 6, 4, 3]);
  });

  test('floors are never the maximum, nor below the minimum', () => {
    const floors = floorsOf(slots(0, 1_000, 0), 1, specFleet).map(({ replicas }) => replicas);
    expect(Math.max(...floors)).toBe(19);
    expect(Math.min(...floors)).toBeGreaterThanOrEqual(3);
  });
});

describe('replay', () => {
  const flat = (replicas: number) => new Float64Array(600).fill(replicas);

  test('replay of an even load is never short and pays the nodes that it needs', () => {
    const played = replay(flat(7), specFleet);
    expect(played).toMatchObject({
      minutes: 600,
      shortMinutes: 0,
      replicaMinutes: 6_000,
      nodeMinutes: 2_400,
    });
  });

  test('replay of a jump is short until nodes have started, and not with foresight', () => {
    const jump = flat(2).fill(12, 300);
    const alone = replay(jump, specFleet);
    expect(alone.shortMinutes).toBeGreaterThanOrEqual(6);
    expect(alone.shortMinutes).toBeLessThan(20);
    const foreseen = highestAhead(jump, 9);
    expect(replay(jump, specFleet, { foreseen }).shortMinutes).toBe(0);
    expect(replay(jump, specFleet, { floorAt: (minute) => (minute > 290 ? 13 : 3) }).shortMinutes).toBe(0);
  });

  test('replay of two lost nodes is short for as long as the next ones take', () => {
    const played = replay(flat(8), specFleet, { losses: [100, 100] });
    expect(played.shortMinutes).toBeGreaterThanOrEqual(1);
    expect(played.shortMinutes).toBeLessThan(8);
  });
});

test.each([
  [1, 0],
  [100, 2.33],
  [1e9, 2.576],
])('deviations for being short %d times as dear as idling are %d', (ratio, deviations) => {
  expect(deviationsFor(ratio)).toBeCloseTo(deviations, 2);
});
