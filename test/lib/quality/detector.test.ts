import { describe, expect, it } from 'vitest';
import {
  type DetectorState,
  type Judgement,
  learningCount,
  newDetector,
  observe,
} from '../../../lib/quality/detector.ts';
import { surpriseOf } from '../../../lib/quality/tail.ts';

const start = Date.UTC(2026, 0, 1);
const hour = 3_600_000;

/** A series of numbers in 0..1 that is the same every time. */
function* noise(seed: number): Generator<number> {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Hourly counts around 1,000 with a day's rhythm, quiet weekends and 5 % of noise, as logarithms. */
function series(days: number, seed: number): number[] {
  const random = noise(seed);
  const uniform = () => random.next().value as number;
  return Array.from({ length: days * 24 }, (_, index) => {
    const normal = Array.from({ length: 12 }, uniform).reduce((sum, each) => sum + each, -6);
    const weekend = [0, 6].includes(new Date(start + index * hour).getUTCDay()) ? -0.7 : 0;
    return Math.log(1_000) + weekend + 0.8 * Math.sin((2 * Math.PI * index) / 24) + 0.05 * normal;
  });
}

function follow(values: readonly number[], state: DetectorState = newDetector({ weekly: true }), from = 0) {
  const judgements: Judgement[] = [];
  let last = state;
  values.forEach((value, index) => {
    const at = start + (from + index) * hour;
    const { judgement, state: next } = observe(last, { at, value, sampling: 0 });
    judgements.push(judgement);
    last = next;
  });
  return { judgements, state: last };
}

describe('a detector', () => {
  it('judges nothing before it has learnt', () => {
    const { judgements } = follow([...series(2, 1).slice(0, learningCount - 1), 100]);
    expect(judgements.map(({ surprise }) => surprise)).toEqual(judgements.map(() => 0));
    expect(judgements.every(({ learning }) => learning)).toBe(true);
  });

  it('stays silent on clean hours and finds a loss of 40 % in one', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { judgements, state } = follow(series(56, seed));
      const loud = judgements.slice(28 * 24).filter(({ surprise }) => surprise > 5);
      expect(loud).toEqual([]);
      const [usual = 0] = series(57, seed).slice(56 * 24);
      const [lost] = follow([usual + Math.log(0.6)], state, 56 * 24).judgements;
      expect(lost?.surprise).toBeGreaterThan(4);
      expect(lost?.low).toBeGreaterThan(usual + Math.log(0.6));
      const [same] = follow([usual], state, 56 * 24).judgements;
      expect(same?.surprise).toBeLessThan(3);
    }
  });

  it('expects little at the weekend and much at noon of a workday', () => {
    const { judgements } = follow(series(56, 7));
    // 2026-02-15 is a Sunday, the 16th a Monday.
    const sunday = judgements[45 * 24 + 6];
    const monday = judgements[46 * 24 + 6];
    expect((monday?.expected ?? 0) - (sunday?.expected ?? 0)).toBeGreaterThan(0.4);
  });

  it('judges a series that never moved by the smallest change', () => {
    const { state } = follow(Array.from({ length: 200 }, () => 5));
    expect(follow([5], state, 200).judgements[0]?.surprise).toBe(0);
    expect(follow([5.01], state, 200).judgements[0]?.surprise).toBeGreaterThan(6);
  });

  it('learns little from an incident', () => {
    const { state } = follow(series(56, 3));
    const hit = follow([0], state, 56 * 24).state;
    const [usual = 0] = series(57, 3).slice(56 * 24 + 1);
    expect(Math.abs((follow([usual], hit, 56 * 24 + 1).judgements[0]?.expected ?? 0) - usual)).toBeLessThan(
      0.5,
    );
  });

  it('tells an incident that lasts when it begins, and again when it grows', () => {
    const { state } = follow(series(56, 5));
    const usual = series(57, 5).slice(56 * 24, 56 * 24 + 4);
    const depths = [0.5, 0.5, 0.3, 0.3];
    const hit = usual.map((value, hour) => value + Math.log(depths[hour] ?? 1));
    const { judgements } = follow(hit, state, 56 * 24);
    expect(judgements.map(({ news }) => news)).toEqual([true, false, true, false]);
    expect(Math.min(...judgements.map(({ surprise }) => surprise))).toBeGreaterThan(4);
  });

  it('follows clocks that are moved by an hour, and finds nothing unusual in it', () => {
    const autumn = Date.UTC(2026, 9, 25, 1);
    const before = autumn - 42 * 24 * hour;
    const random = noise(9);
    let state = newDetector({ weekly: true });
    const loud: number[] = [];
    for (let index = 0; index < 56 * 24; index += 1) {
      const at = before + index * hour;
      const local = new Date(at + (at < autumn ? hour : 0));
      const clock = Math.sin((2 * Math.PI * local.getUTCHours()) / 24);
      const quiet = [0, 6].includes(local.getUTCDay()) ? -0.7 : 0;
      const value = 7 + 0.8 * clock + quiet + 0.1 * ((random.next().value as number) - 0.5);
      const observed = observe(state, { at, value, sampling: 0 });
      state = observed.state;
      if (observed.judgement.surprise > 5) loud.push(index / 24);
    }
    expect(loud).toEqual([]);
  });

  it('is small plain data, and goes on from what was stored', () => {
    const { state } = follow(series(30, 4));
    const stored = JSON.stringify(state);
    expect(stored.length).toBeLessThan(3_500);
    expect(JSON.stringify(follow(series(30, 4), newDetector({ weekly: false })).state).length).toBeLessThan(
      2_000,
    );
    const next = series(31, 4).slice(30 * 24);
    expect(follow(next, JSON.parse(stored) as DetectorState, 720)).toEqual(follow(next, state, 720));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses the value %s', (value) => {
    expect(() => observe(newDetector({ weekly: false }), { at: start, value, sampling: 0 })).toThrow(
      RangeError,
    );
  });
});

describe('the surprise of an error', () => {
  it('grows with the error, slower for a heavier tail', () => {
    const light = { share: 0.05, excess: 0.17, light: 'exponential' } as const;
    const heavy = { share: 0.05, excess: 0.6, light: 'exponential' } as const;
    expect(surpriseOf(light, 2)).toBe(0);
    expect(surpriseOf(light, 6)).toBeGreaterThan(surpriseOf(light, 4));
    expect(surpriseOf(heavy, 6)).toBeLessThan(surpriseOf(light, 6));
    // 1 in 20 beyond the threshold, and then a power law with exponent 1 / 0.6.
    expect(surpriseOf(heavy, 4)).toBeCloseTo(-Math.log10(0.05 * 2 ** (-1 / 0.6)), 9);
  });
});
