import { describe, expect, it } from 'vitest';
import { checkDatasetCompleteness, checkDatasetFreshness } from '../../../../lib/quality/datasets/checks.ts';
import { contractSchema } from '../../../../lib/quality/datasets/contract.ts';
import { kindOfFile, missingPartitions, partitionOf } from '../../../../lib/quality/datasets/partitions.ts';
import type { DatasetProfile } from '../../../../lib/quality/datasets/profile.ts';

const now = Date.parse('2026-11-24T02:30:00Z');

const contract = (over: Record<string, unknown> = {}) =>
  contractSchema.parse({
    location: 'file:///data/',
    format: 'parquet',
    fields: [
      { name: 'id', type: 'integer' },
      { name: 'at', type: 'timestamp' },
    ],
    keys: ['id'],
    ...over,
  });

const field = { name: 'id', missing: false, nulls: 0, typeErrors: 0, mean: null, quantiles: null };

const profile = (over: Partial<DatasetProfile> = {}): DatasetProfile => ({
  files: 3,
  bytes: 3_000,
  newestArrival: '2026-11-24T02:00:00.000Z',
  unreadable: [],
  unfinished: 0,
  rows: 1_000,
  broken: 0,
  duplicates: 0,
  fields: [field],
  newestEvent: null,
  partitions: {},
  categories: {},
  sampled: false,
  ...over,
});

const codes = (over: Partial<DatasetProfile>, given: Record<string, unknown> = {}) =>
  checkDatasetCompleteness(profile(over), contract(given), now).map(
    ({ code, sentence }) => `${code}: ${sentence}`,
  );

describe('completeness of a dataset', () => {
  it('finds nothing in whole data', () => {
    expect(codes({})).toEqual([]);
  });

  it.each([
    [{ rows: 9 }, { minRows: 10 }, 'TOO_FEW_ROWS: 9 rows, at least 10 are needed'],
    [{ fields: [{ ...field, nulls: 50 }] }, {}, 'NULLS: 50 of 1000 rows (5 %) have no "id", 1 % may'],
    [
      { fields: [{ ...field, typeErrors: 50 }] },
      {},
      'TYPE_ERRORS: 50 of 1000 rows (5 %) hold another type than integer in "id", 1 % may',
    ],
    [{ fields: [{ ...field, missing: true }] }, {}, 'FIELD_MISSING: no row has the field "id"'],
    [{ broken: 11 }, {}, 'BROKEN_ROWS: 11 of 1000 rows (1.1 %) are broken, 1 % may'],
    [{ duplicates: 1 }, {}, 'DUPLICATE_KEYS: 1 of 1000 rows (0.1 %) repeat the key id of another, 0 % may'],
    [{ unreadable: [{ file: 'a', why: 'too small' }] }, {}, 'UNREADABLE_FILE: "a" cannot be read: too small'],
    [
      { partitions: { '2026-11-24T00': 1 } },
      { partitioning: 'hour', watermarkMinutes: 0 },
      'MISSING_PARTITIONS: 1 partitions are missing: 2026-11-24T01',
    ],
  ])('of %j by %j finds %s', (over, given, found) => {
    expect(codes(over as Partial<DatasetProfile>, given)).toEqual([found]);
  });

  it('does not call what a sample left unread missing', () => {
    expect(codes({ rows: 9, sampled: true }, { minRows: 10 })).toEqual([]);
  });
});

describe('freshness of a dataset', () => {
  const found = (over: Partial<DatasetProfile>, given: Record<string, unknown>) =>
    checkDatasetFreshness(profile(over), contract(given), now).map(({ code }) => code);

  it('goes by the arrival of files, and by the time of rows where the contract names it', () => {
    expect(found({}, { maxAgeHours: 1 })).toEqual([]);
    expect(found({}, { maxAgeHours: 0.4 })).toEqual(['STALE']);
    const old = { newestEvent: '2026-11-23T00:00:00.000Z' };
    expect(found(old, { maxAgeHours: 1, eventTime: 'at' })).toEqual(['STALE']);
    expect(found({}, { maxAgeHours: 1, eventTime: 'at' })).toEqual(['NO_EVENT_TIME']);
  });

  it('tells times that are to come from fresh data', () => {
    const skewed = { newestEvent: '2026-11-24T03:00:00.000Z' };
    expect(found(skewed, { eventTime: 'at' })).toEqual(['TIME_IN_FUTURE']);
  });
});

describe('partitions', () => {
  it('are missed once their watermark is over, and not before the first that is known', () => {
    const by = { partitioning: 'hour', watermarkMinutes: 60 } as const;
    expect(missingPartitions(['2026-11-23T22', '2026-11-24T00'], by, { first: null, now })).toEqual([
      '2026-11-23T23',
    ]);
    const half = { partitioning: 'hour', watermarkMinutes: 30 } as const;
    expect(missingPartitions(['2026-11-23T22', '2026-11-24T00'], half, { first: null, now })).toEqual([
      '2026-11-23T23',
      '2026-11-24T01',
    ]);
    expect(missingPartitions([], by, { first: null, now })).toEqual([]);
  });

  it('of a day on which clocks are moved are 24, because all are UTC', () => {
    const by = { partitioning: 'hour', watermarkMinutes: 0 } as const;
    const at = Date.parse('2026-10-26T00:00:00Z');
    const known = Array.from({ length: 24 }, (_, hour) => `2026-10-25T${String(hour).padStart(2, '0')}`);
    expect(missingPartitions(known, by, { first: null, now: at })).toEqual([]);
    expect(missingPartitions(known.toSpliced(3, 1), by, { first: null, now: at })).toEqual(['2026-10-25T03']);
  });

  it.each([
    ['date=2026-11-24/hour=02/a.parquet', 'hour', '2026-11-24T02'],
    ['date=2026-11-24/a.parquet', 'date', '2026-11-24'],
    ['date=2026-11-24/a.parquet', 'hour', undefined],
    ['date=2026-11-24/hour=25/a.parquet', 'hour', undefined],
    ['date=2026-13-99/a.parquet', 'date', undefined],
    ['a.parquet', 'date', undefined],
  ] as const)('%s by %s is %s', (path, partitioning, partition) => {
    expect(partitionOf(path, { partitioning })).toBe(partition);
  });

  it.each([
    ['_temporary/0/part-0.parquet', 'unfinished'],
    ['a.parquet.tmp', 'unfinished'],
    ['_SUCCESS', 'no-data'],
    ['.a.parquet.crc', 'no-data'],
    ['date=2026-11-24/a.parquet', 'data'],
  ])('file %s is %s', (path, kind) => {
    expect(kindOfFile(path)).toBe(kind);
  });
});

describe('a contract', () => {
  it.each([
    [{ format: 'avro' }, /format/],
    [{ keys: ['nobody'] }, /not among the fields/],
    [{ eventTime: 'id' }, /no field of type timestamp/],
    [{ delimiter: ';' }, /only CSV/],
    [{ maxNulls: 2 }, /maxNulls/],
    [
      {
        fields: [
          { name: 'a', type: 'string' },
          { name: 'a', type: 'number' },
        ],
        keys: [],
      },
      /there twice/,
    ],
    [{ unknown: 1 }, /unknown/],
  ])('with %j is refused', (over, said) => {
    expect(() => contract(over)).toThrow(said);
  });
});
