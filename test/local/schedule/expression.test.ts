import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { parseSchedule, type ScheduleOptions } from '../../../local/schedule/expression.ts';

function following(
  expression: string,
  options: string | ScheduleOptions,
  after: string,
  count: number,
): string[] {
  const occurrences = parseSchedule(expression, options);
  const found: string[] = [];
  let due = occurrences.next(new Date(after));
  while (due && found.length < count) {
    found.push(due.toISOString().slice(0, 16));
    due = occurrences.next(due);
  }
  return found;
}

function refusal(make: () => unknown): EpsilonError {
  try {
    make();
  } catch (error) {
    if (error instanceof EpsilonError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('the fields of a cron expression', () => {
  test.each([
    ['every night at two', 'cron(0 2 * * ? *)', ['2026-01-01T02:00', '2026-01-02T02:00']],
    [
      'steps from a value',
      'cron(5/20 2 1/10 * ? *)',
      ['2026-01-01T02:05', '2026-01-01T02:25', '2026-01-01T02:45', '2026-01-11T02:05'],
    ],
    [
      'steps from the lowest value',
      'cron(*/25 2 * * ? *)',
      ['2026-01-01T02:00', '2026-01-01T02:25', '2026-01-01T02:50'],
    ],
    [
      'lists and ranges',
      'cron(0 2,4-5 * * ? *)',
      ['2026-01-01T02:00', '2026-01-01T04:00', '2026-01-01T05:00', '2026-01-02T02:00'],
    ],
    [
      'a named range of days',
      'cron(0 2 ? * MON-FRI *)',
      ['2026-01-01T02:00', '2026-01-02T02:00', '2026-01-05T02:00'],
    ],
    ['Sunday as 1', 'cron(0 2 ? * 1 *)', ['2026-01-04T02:00', '2026-01-11T02:00']],
    ['Saturday as a lone L', 'cron(0 2 ? * L *)', ['2026-01-03T02:00', '2026-01-10T02:00']],
    ['the last Friday', 'cron(0 2 ? * 6L *)', ['2026-01-30T02:00', '2026-02-27T02:00', '2026-03-27T02:00']],
    ['the third Friday', 'cron(0 2 ? * FRI#3 *)', ['2026-01-16T02:00', '2026-02-20T02:00']],
    ['only months with a fifth Monday', 'cron(0 2 ? * 2#5 *)', ['2026-03-30T02:00', '2026-06-29T02:00']],
    [
      'the last day of the month',
      'cron(0 2 L * ? *)',
      ['2026-01-31T02:00', '2026-02-28T02:00', '2026-03-31T02:00'],
    ],
    ['the last weekday of the month', 'cron(0 2 LW * ? *)', ['2026-01-30T02:00', '2026-02-27T02:00']],
    [
      'the weekday nearest the first, within the month',
      'cron(0 2 1W AUG ? *)',
      ['2026-08-03T02:00', '2027-08-02T02:00'],
    ],
    ['the weekday nearest the fifteenth', 'cron(0 2 15W 8 ? *)', ['2026-08-14T02:00']],
    ['leap days', 'cron(0 2 29 2 ? *)', ['2028-02-29T02:00', '2032-02-29T02:00']],
    [
      'only months that have a 31st',
      'cron(0 2 31 * ? *)',
      ['2026-01-31T02:00', '2026-03-31T02:00', '2026-05-31T02:00'],
    ],
    ['steps of years', 'cron(0 2 1 1 ? 2025-2030/2)', ['2027-01-01T02:00', '2029-01-01T02:00']],
    ['the last year there is', 'cron(0 2 1 1 ? 2199)', ['2199-01-01T02:00']],
    ['nothing in years gone by', 'cron(0 2 1 1 ? 2025)', []],
  ])('the fields of a cron expression mean %s', (_, expression, expected) => {
    expect(following(expression, 'UTC', '2026-01-01T00:00:00Z', Math.max(1, expected.length))).toEqual(
      expected,
    );
  });
});

describe('the clocks change as on the service', () => {
  test.each([
    [
      'a time the clocks skip is left out',
      'cron(30 2 * * ? *)',
      'Europe/Berlin',
      '2026-03-28T12:00:00Z',
      ['2026-03-30T00:30', '2026-03-31T00:30'],
    ],
    [
      'a time shown twice happens once, the first time',
      'cron(30 2 * * ? *)',
      'Europe/Berlin',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30'],
    ],
    [
      'a short interval pauses in the repeated hour',
      'cron(0/30 * * * ? *)',
      'Europe/Berlin',
      '2026-10-25T00:00:00Z',
      ['2026-10-25T00:30', '2026-10-25T02:00', '2026-10-25T02:30'],
    ],
    [
      'a short interval goes on over the skipped hour',
      'cron(0/30 * * * ? *)',
      'Europe/Berlin',
      '2026-03-29T00:30:00Z',
      ['2026-03-29T01:00', '2026-03-29T01:30'],
    ],
    [
      'a night keeps its hour on the wall',
      'cron(0 2 * * ? *)',
      'America/New_York',
      '2026-10-31T12:00:00Z',
      ['2026-11-01T07:00', '2026-11-02T07:00'],
    ],
    [
      'half-hour shifts count too',
      'cron(45 1 * * ? *)',
      'Australia/Lord_Howe',
      '2026-04-03T20:00:00Z',
      ['2026-04-04T14:45', '2026-04-05T15:15'],
    ],
    [
      'a day of rate is 24 hours',
      'rate(1 day)',
      'Europe/Berlin',
      '2026-03-28T12:00:00Z',
      ['2026-03-29T00:00', '2026-03-30T00:00'],
    ],
    [
      'an instant shown twice is the first one',
      'at(2026-10-25T02:30:00)',
      'Europe/Berlin',
      '2026-10-01T00:00:00Z',
      ['2026-10-25T00:30'],
    ],
  ])('%s', (_, expression, timezone, after, expected) => {
    expect(following(expression, timezone, after, expected.length)).toEqual(expected);
  });

  test('an occurrence in the repeated hour falls due in its first pass only', () => {
    const occurrences = parseSchedule('cron(30 2 * * ? *)', 'Europe/Berlin');
    // 02:10 on the wall, for the second time.
    const second = new Date('2026-10-25T01:10:00Z');
    expect(occurrences.previous(second)?.toISOString()).toBe('2026-10-25T00:30:00.000Z');
    expect(occurrences.next(second)?.toISOString()).toBe('2026-10-26T01:30:00.000Z');
  });
});

describe('start, end and rates', () => {
  test.each([
    [
      'counts a rate from its start',
      'rate(5 minutes)',
      '2026-01-01T00:02:00Z',
      ['2026-01-01T00:02', '2026-01-01T00:07'],
    ],
    [
      'counts a cron expression from its start',
      'cron(0 2 * * ? *)',
      '2026-02-01T00:00:00Z',
      ['2026-02-01T02:00', '2026-02-02T02:00'],
    ],
  ])('%s', (_, expression, start, expected) => {
    const options = { startDate: new Date(start) };
    expect(following(expression, options, '2025-06-01T00:00:00Z', 2)).toEqual(expected);
  });

  test('a schedule has no occurrence before its start or after its end', () => {
    const occurrences = parseSchedule('cron(0 2 * * ? *)', {
      startDate: new Date('2026-02-01T00:00:00Z'),
      endDate: new Date('2026-02-02T12:00:00Z'),
    });
    expect(occurrences.previous(new Date('2026-01-31T00:00:00Z'))).toBeUndefined();
    expect(occurrences.next(new Date('2026-02-02T12:00:00Z'))).toBeUndefined();
    expect(occurrences.previous(new Date('2026-03-01T00:00:00Z'))?.toISOString()).toBe(
      '2026-02-02T02:00:00.000Z',
    );
  });

  test('an occurrence at the present instant is the previous one', () => {
    const occurrences = parseSchedule('cron(0 2 * * ? *)');
    const due = new Date('2026-11-24T02:00:00Z');
    expect(occurrences.previous(due)).toEqual(due);
    expect(occurrences.previous(new Date(due.getTime() - 1))?.toISOString()).toBe('2026-11-23T02:00:00.000Z');
    expect(occurrences.next(due)?.toISOString()).toBe('2026-11-25T02:00:00.000Z');
  });
});

describe('an expression that is refused with a corrected example', () => {
  test.each([
    ['cron(0 2 * * *)', 'cron(0 2 * * ? *)'],
    ['cron(0 2 * * 0)', 'cron(0 2 ? * SUN *)'],
    ['cron(0 2 * * * *)', 'cron(0 2 * * ? *)'],
    ['cron(0 2 ? * ? *)', 'cron(0 2 * * ? *)'],
    ['cron(0 2 1 * MON *)', 'cron(0 2 ? * MON *)'],
    ['cron(? 2 * * ? *)', 'cron(0 2 * * ? *)'],
    ['cron(60 2 * * ? *)', 'cron(0 2 * * ? *)'],
    ['cron(0 2 ? * 0 *)', 'cron(0 2 * * ? *)'],
    ['cron(0 2 ? * 8 *)', 'cron(0 2 * * ? *)'],
    ['cron(0 22-2 * * ? *)', 'cron(0 2 * * ? *)'],
    ['cron(0 2 32W * ? *)', 'cron(0 2 * * ? *)'],
    ['cron(0 2 ? * 2#6 *)', 'cron(0 2 * * ? *)'],
    ['cron(0/0 2 * * ? *)', 'cron(0/15 * * * ? *)'],
    ['cron(0/90 2 * * ? *)', 'cron(0/15 * * * ? *)'],
    ['cron(0 2 , * ? *)', 'cron(0 2 * * ? *)'],
    ['cron(0 2 * * ? 1969)', 'cron(0 2 * * ? *)'],
    ['cron(0 2 30 2 ? *)', 'cron(0 2 L * ? *)'],
    ['cron()', 'cron(0 2 * * ? *)'],
    ['rate(1 hours)', 'rate(1 hour)'],
    ['rate(5 minute)', 'rate(5 minutes)'],
    ['rate(0 minutes)', 'rate(5 minutes)'],
    ['rate(1.5 hours)', 'rate(5 minutes)'],
    ['rate(999999999 days)', 'rate(365 days)'],
    ['at(2026-02-30T02:00:00)', 'at(2026-11-24T02:00:00)'],
    ['at(2026-11-24T25:00:00)', 'at(2026-11-24T02:00:00)'],
    ['at(2026-11-24T02:00:00Z)', 'at(2026-11-24T02:00:00)'],
    ['every day', 'cron(0 2 * * ? *)'],
    ['', 'cron(0 2 * * ? *)'],
  ])('%s', (expression, example) => {
    const error = refusal(() => parseSchedule(expression));
    expect(error.code).toBe('SCHEDULE_INVALID');
    expect(error.details['example']).toBe(example);
    expect(() => parseSchedule(example)).not.toThrow();
  });

  test('an instant that the clocks skip is refused', () => {
    const error = refusal(() => parseSchedule('at(2026-03-29T02:30:00)', 'Europe/Berlin'));
    expect(error.code).toBe('SCHEDULE_INVALID');
    expect(error.details['example']).toBe('at(2026-03-29T03:30:00)');
  });

  test.each(['Mars/Olympus', 'EST', 'CET', '+02:00', 'berlin', ''])('the time zone "%s"', (timezone) => {
    expect(refusal(() => parseSchedule('rate(1 day)', timezone)).code).toBe('TIMEZONE_UNKNOWN');
  });
});

describe('the next instant of any zone and expression', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Africa/Cairo',
    'Pacific/Apia',
  ];
  const crons = [
    '0/7 * * * ? *',
    '30 2 * * ? *',
    '0 0 L * ? *',
    '15 1-3 ? * SUN *',
    '0 2 ? * 6#2 *',
    '59 23 LW * ? *',
  ];
  const instants = fc.integer({ min: Date.UTC(2010, 0, 1), max: Date.UTC(2035, 0, 1) });

  test('the next occurrence is later, the previous is not, and nothing lies between', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.constantFrom(...crons), instants, (zone, cron, at) => {
        const occurrences = parseSchedule(`cron(${cron})`, zone);
        const now = new Date(at);
        const next = occurrences.next(now);
        const previous = occurrences.previous(now);
        expect(next && next > now).toBe(true);
        expect(previous && previous <= now).toBe(true);
        expect(occurrences.previous(new Date((next?.getTime() ?? 0) - 1))).toEqual(previous);
        expect(occurrences.next(previous ?? now)).toEqual(next);
      }),
      { numRuns: 300, seed: 20_261_124 },
    );
  });

  test('no wall-clock time occurs twice', () => {
    const wall = new Intl.DateTimeFormat('en', {
      timeZone: 'Europe/Berlin',
      dateStyle: 'short',
      timeStyle: 'short',
    });
    const shown = following('cron(0/10 * * * ? *)', 'Europe/Berlin', '2026-10-24T20:00:00Z', 60).map((due) =>
      wall.format(new Date(`${due}Z`)),
    );
    expect(new Set(shown).size).toBe(shown.length);
  });
});
