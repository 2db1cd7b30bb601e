import { describe, expect, test } from 'vitest';
import { forecast } from '../../../lib/scaling/forecast.ts';
import { hourly, hourMs, type Reading, seriesOf } from '../../../lib/scaling/hourly-series.ts';
import { naive2, seasonalNaive, smape } from '../../bench/m4.ts';

/** A service's load: a working day from 8 to 18, weekends at a third, a little noise from a fixed rule. */
function load(hour: number): number {
  const day = Math.floor(hour / 24) % 7;
  const ofDay = hour % 24;
  const busy = ofDay >= 8 && ofDay < 18 ? 100 : 20;
  return busy * (day >= 5 ? 1 / 3 : 1) * (1 + 0.05 * Math.sin(hour * 12.9898));
}

const hours = (count: number, of = load) => Array.from({ length: count }, (_, hour) => of(hour));
const monday = Date.UTC(2026, 0, 5);
const readings = (count: number, of = load): Reading[] =>
  hours(count, of).map((value, hour) => ({ at: monday + hour * hourMs, value }));

describe('forecast', () => {
  test('forecast of four weeks of working days is within a tenth of what comes', () => {
    const { hours: told, basis } = forecast(seriesOf(hours(672)));
    const came = Array.from({ length: 48 }, (_, ahead) => load(672 + ahead));
    expect(
      smape(
        came,
        told.map(({ value }) => value),
      ),
    ).toBeLessThan(10);
    expect(basis).toBe('28 days of history: hours, days and weeks');
  });

  test('forecast of a Friday knows that Saturday is quiet', () => {
    const { hours: told } = forecast(seriesOf(hours(21 * 24 + 5 * 24)), 24);
    expect(told[10]?.value).toBeLessThan(50);
  });

  test('forecast of a constant is the constant, without an interval', () => {
    const { hours: told } = forecast(seriesOf(hours(672, () => 42)));
    for (const { value, low, high } of told) {
      expect(value).toBeCloseTo(42, 3);
      expect(high - low).toBeLessThan(0.1);
    }
  });

  test('forecast of nothing but zeros is zero, and a number', () => {
    for (const { value, low, high } of forecast(seriesOf(hours(672, () => 0))).hours) {
      expect(value).toBeCloseTo(0, 6);
      expect(low).toBeCloseTo(0, 6);
      expect(high).toBeCloseTo(0, 6);
    }
  });

  test.each([24, 30, 49, 96, 97, 150, 216, 217, 300, 671])(
    'forecast of %i hours is finite and ordered',
    (count) => {
      for (const { value, low, high, spread } of forecast(seriesOf(hours(count))).hours) {
        expect([value, low, high, spread].every(Number.isFinite)).toBe(true);
        expect(low).toBeLessThanOrEqual(value);
        expect(value).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThan(10_000);
      }
    },
  );

  test('forecast of one hour is refused with how much is needed', () => {
    expect(() => forecast(seriesOf([1]))).toThrow('the history has 1 hours; a forecast needs at least 24');
  });

  test('forecast of a load that doubles overnight follows it within a day', () => {
    const doubled = (hour: number) => load(hour) * (hour >= 552 ? 2 : 1);
    const { hours: told } = forecast(seriesOf(hours(576, doubled)), 24);
    expect(told[10]?.value).toBeGreaterThan(120);
  });

  test('forecast of the same readings is the same, bit for bit', () => {
    expect(forecast(seriesOf(hours(672)))).toEqual(forecast(seriesOf(hours(672))));
  });
});

describe('hourly', () => {
  test('hourly load is the mean or the peak of the readings of an hour', () => {
    const quarter = Array.from({ length: 24 * 4 }, (_, at) => ({ at: monday + at * 900_000, value: at % 4 }));
    expect(hourly(quarter, 'mean').values[0]).toBe(1.5);
    expect(hourly(quarter, 'peak').values[0]).toBe(3);
  });

  test('hourly load leaves out an hour that is not over', () => {
    const until = monday + 30 * hourMs + 60_000;
    expect(hourly(readings(40), 'mean', until).values).toHaveLength(30);
    expect(hourly(readings(40), 'mean', until).startsAt).toBe(monday);
  });

  test('hourly load keeps the newest 28 days', () => {
    const series = hourly(readings(900), 'mean');
    expect(series.values).toHaveLength(672);
    expect(series.startsAt).toBe(monday + (900 - 672) * hourMs);
  });

  test('hourly load names gaps, repeated, backwards, negative and unusable readings', () => {
    const list = readings(200).filter((_, hour) => hour < 50 || hour >= 60);
    const bad = [
      ...list.slice(0, 20),
      { at: monday, value: 7 },
      { at: monday + 20 * hourMs, value: Number.NaN },
      { at: Number.NaN, value: 1 },
      { at: monday + 20.2 * hourMs, value: 1e308 },
      { at: monday + 20.5 * hourMs, value: -3 },
      ...list.slice(20),
    ];
    const { notes, values } = hourly(bad, 'mean');
    expect(values[0]).toBe(7);
    expect(notes).toEqual([
      '3 readings left out: not a number, or beyond any load',
      '1 reading left out: below 0, as after a counter began again',
      '1 reading earlier than the one before: put in order',
      '1 reading of a time that was there already: the last one counts',
      '10 hours without a reading: filled in from other days',
    ]);
    expect([...values].every(Number.isFinite)).toBe(true);
  });

  test('hourly load does not learn from a spike of one hour, and does from a new level', () => {
    const spike = hourly(
      readings(672, (hour) => (hour === 300 ? 5_000 : load(hour))),
      'mean',
    );
    expect(spike.measured[300]).toBe(0);
    expect(spike.values[300]).toBeLessThan(120);
    const level = hourly(
      readings(672, (hour) => load(hour) * (hour >= 660 ? 50 : 1)),
      'mean',
    );
    expect([...level.measured.subarray(660)].every((one) => one === 1)).toBe(true);
  });

  test.each([
    ['SCALING_HISTORY_EMPTY', []],
    ['SCALING_HISTORY_EMPTY', [{ at: monday, value: Number.NaN }]],
    ['SCALING_HISTORY_SHORT', [{ at: monday, value: 3 }]],
    ['SCALING_HISTORY_SHORT', readings(23)],
    ['SCALING_HISTORY_SPARSE', readings(200).filter((_, hour) => hour < 20 || hour > 150)],
    ['SCALING_COUNTER', readings(100, (hour) => hour * 60)],
  ])('hourly load is refused with %s', (code, list) => {
    expect(() => hourly(list, 'mean')).toThrow(expect.objectContaining({ code }));
  });
});

describe('M4 measures', () => {
  test('naive2 of a series with a pure season is the season again', () => {
    const season = hours(24 * 10, (hour) => 10 + (hour % 24));
    const came = hours(48, (hour) => 10 + (hour % 24));
    expect(smape(came, naive2(season, 48))).toBeLessThan(0.001);
    expect(seasonalNaive(season, 48)).toEqual(came);
  });
});

test.each([1e-9, 1e-3, 1, 1e9, 1e15])(
  'forecast of a load in units of %d is the same in those units',
  (unit) => {
    const one = forecast(seriesOf(hours(672))).hours[10]?.value ?? 0;
    const scaled = forecast(seriesOf(hours(672, (hour) => (load(hour) * unit) / 200))).hours[10]?.value ?? 0;
    expect((scaled / unit) * 200).toBeCloseTo(one, 0);
  },
);
