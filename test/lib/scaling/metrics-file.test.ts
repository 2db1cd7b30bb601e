import { describe, expect, test } from 'vitest';
import { instantOf, ratesOf, readingsOf } from '../../../lib/scaling/metrics-file.ts';

describe('metrics file', () => {
  test.each([
    ['2026-01-05T10:00:00Z', Date.UTC(2026, 0, 5, 10)],
    ['2026-01-05 10:00:00', Date.UTC(2026, 0, 5, 10)],
    ['2026-01-05T10:00+01:00', Date.UTC(2026, 0, 5, 9)],
    ['2026-01-05', Date.UTC(2026, 0, 5)],
    ['1767607200', Date.UTC(2026, 0, 5, 10)],
    ['1767607200000', Date.UTC(2026, 0, 5, 10)],
    ['yesterday', Number.NaN],
    ['2026-13-45T10:00:00Z', Number.NaN],
    ['', Number.NaN],
  ])('metrics file with the instant "%s" is read as UTC unless a zone is named', (text, at) => {
    expect(instantOf(text)).toBe(at);
  });

  test('metrics file is read whatever parts its cells, ends its lines or stands beside its columns', () => {
    const text = '\uFEFFhost;"Value";timestamp\r\na;1.5;2026-01-05 10:00\r\n\r\nb;;2026-01-05 11:00\r\n';
    expect(readingsOf(text, 'm.csv')).toEqual([
      { at: Date.UTC(2026, 0, 5, 10), value: 1.5 },
      { at: Date.UTC(2026, 0, 5, 11), value: Number.NaN },
    ]);
  });

  test.each([
    ['', 'm.csv is empty; it needs a first line "timestamp,value"'],
    ['a,b\n1,2\n', 'm.csv needs the columns "timestamp" and "value" in its first line (it has: a, b)'],
    ['timestamp,value\nsoon,2\n', 'm.csv has no instant in its column "timestamp": line 2 says "soon"'],
  ])('metrics file "%s" is refused with what it lacks', (text, message) => {
    expect(() => readingsOf(text, 'm.csv')).toThrow(message);
  });

  test('counter that begins again is a rate that is never negative', () => {
    const counter = [10, 70, 130, 30, 90].map((value, minute) => ({ at: minute * 60_000, value }));
    expect(ratesOf(counter).map(({ value }) => value)).toEqual([1, 1, 0.5, 1]);
  });
});
