import { describe, expect, test } from 'vitest';
import { commitmentsFor } from '../../../lib/cost/commitments.ts';

/** Dollars an hour: 1 always, 2 in the ten working hours of five days of seven. */
const usage = Array.from({ length: 28 * 24 }, (_, hour) =>
  Math.floor(hour / 24) % 7 < 5 && hour % 24 >= 8 && hour % 24 < 18 ? 2 : 1,
);

/** What some hours cost with a commitment, hour by hour. */
const paid = (hours: readonly number[], hourly: number, discount: number) =>
  hours.reduce((total, used) => total + hourly * (1 - discount) + Math.max(0, used - hourly), 0);

describe('commitments', () => {
  test('commitment is the cheapest of all amounts', () => {
    for (const { hourly, discount } of commitmentsFor(usage, 0)) {
      const least = Math.min(...Array.from({ length: 301 }, (_, cent) => paid(usage, cent / 100, discount)));
      expect(paid(usage, hourly, discount)).toBeCloseTo(least, 6);
    }
  });

  test('commitment to the base is always used and covers it', () => {
    const [reserved] = commitmentsFor(usage, 0);
    expect(reserved).toMatchObject({ hourly: 1, breakEven: 0.63 });
    expect(reserved?.utilisation).toBeCloseTo(1, 9);
    expect(reserved?.coverage).toBeCloseTo(1 / (1 + 50 / 168), 6);
  });

  test('commitment takes off what is committed already', () => {
    expect(commitmentsFor(usage, 1).map(({ hourly, savedMonthly }) => [hourly, savedMonthly])).toEqual(
      Array.from({ length: 4 }, () => [0, 0]),
    );
    expect(commitmentsFor(usage, 0.4)[0]?.hourly).toBeCloseTo(0.6, 9);
  });

  test('commitment is regretted where usage falls below it by more than its discount', () => {
    const even = usage.map(() => 1);
    const regrets = commitmentsFor(even, 0).map(({ kind, regretMonthly }) => [kind, regretMonthly > 0]);
    expect(regrets).toEqual([
      ['reserved instances or EC2 savings plan', false],
      ['compute savings plan', true],
      ['reserved database nodes', false],
      ['reserved cache nodes', false],
    ]);
  });

  test('commitment for hours without usage is none', () => {
    for (const one of commitmentsFor([0, 0, 0], 0))
      expect(one).toMatchObject({
        hourly: 0,
        savedMonthly: 0,
        utilisation: 0,
        coverage: 0,
        regretMonthly: 0,
      });
  });
});
