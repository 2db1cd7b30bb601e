import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type AskedAboutFiles, answerAboutFiles } from '../../../lib/files/datasets/answer-about-files.ts';
import { filesBelow } from '../../../lib/files/datasets/files-below.ts';
import { lookAtDataset } from '../../../lib/files/datasets/look-at-dataset.ts';
import { profileFiles } from '../../../lib/files/datasets/profile-dataset.ts';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import { contractSchema } from '../../../lib/quality/datasets/contract.ts';
import { judgeAnomalies, judgeCompleteness, judgeFreshness } from '../../../lib/quality/datasets/judge.ts';
import { judge } from '../../../lib/quality/judge.ts';
import { freshDir } from '../../fresh-dir.ts';

// What a process of its own answers is answered here: the real one is started by profile-dataset.test.ts.
vi.mock('../../../lib/files/datasets/ask-worker.ts', () => ({
  askWorker: (asked: AskedAboutFiles) => answerAboutFiles(asked),
}));

const now = Date.parse('2026-11-24T04:00:00Z');
const partition = 'date=2026-11-24/hour=02';

const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const csv = (ids: readonly number[]) => `id,name\n${ids.map((id) => `${id},name ${id}`).join('\n')}\n`;
const jsonl = (ids: readonly number[]) =>
  ids.map((id) => `${JSON.stringify({ id, name: `name ${id}` })}\n`).join('');

let database: DuckDBConnection;

beforeAll(async () => {
  database = await (await DuckDBInstance.create(':memory:')).connect();
});

/** The bytes of a file of Parquet with the columns of a query. */
async function parquet(select: string): Promise<Buffer> {
  const { readFileSync } = await import('node:fs');
  const path = join(freshDir(), 'a.parquet');
  await database.run(`COPY (${select}) TO '${path}' (FORMAT PARQUET, ROW_GROUP_SIZE 2048)`);
  return readFileSync(path);
}

const whole = `SELECT i AS id, 'name ' || i AS name FROM range(200) t(i)`;

type Files = Readonly<Record<string, string | Uint8Array>>;

interface Given {
  readonly contract: Record<string, unknown>;
  /** Below the partition's folder. */
  readonly files: Files;
  readonly maxBytes?: number;
}

/** The verdict of a check of a dataset with one partition, which is due, and the codes of what was found. */
async function checked({ contract: more, files, maxBytes = Number.POSITIVE_INFINITY }: Given) {
  const root = freshDir();
  for (const [name, body] of Object.entries(files)) {
    const path = join(root, partition, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, body);
    utimesSync(path, new Date('2026-11-24T03:05:00Z'), new Date('2026-11-24T03:05:00Z'));
  }
  const contract = contractSchema.parse({
    location: `${pathToFileURL(root).href}/`,
    partitioning: 'hour',
    watermarkMinutes: 30,
    fields: [
      { name: 'id', type: 'integer' },
      { name: 'name', type: 'string' },
    ],
    keys: ['id'],
    minRows: 100,
    ...more,
  });
  const objects = createFileObjectStore({ root: freshDir() });
  const tenant = { tenantId: 'acme', backend: 'local', contract } as const;
  const { look, due } = await lookAtDataset(objects, tenant, { memory: undefined, now });
  const found = [];
  for (const { name, digest } of due && 'dataset' in due ? due.dataset.partitions : []) {
    const there = { folder: root, ...(await filesBelow(root, 'data')) };
    found.push({ name, digest, profile: await profileFiles(contract, there, { maxBytes }) });
  }
  const state = {
    tenantId: 'acme',
    checkedAt: new Date(now).toISOString(),
    look,
    memory: undefined,
    found: { tenantId: 'acme', partitions: found },
  };
  const findings = [...judgeCompleteness(state), ...judgeFreshness(state), ...judgeAnomalies(state).findings];
  const { verdict } = judge(
    { tenantId: 'acme', checkedAt: state.checkedAt, files: 12, digest: 'd', findings, learnt: 0 },
    undefined,
  );
  return { verdict, codes: findings.map(({ code }) => code), profile: found[0]?.profile, findings };
}

const timed = {
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'at', type: 'timestamp' },
  ],
  eventTime: 'at',
  format: 'csv',
};
const at = (time: string) =>
  `id,at\n${rows(0, 200)
    .map((id) => `${id},${time}`)
    .join('\n')}\n`;

type Entry = readonly [string, () => Given | Promise<Given>, string, readonly string[]];

const entries: readonly Entry[] = [
  [
    'whole data',
    () => ({ contract: { format: 'csv' }, files: { 'a.csv': csv(rows(0, 200)) } }),
    'learning',
    [],
  ],
  [
    'a format that is none of the contract',
    () => ({ contract: { format: 'parquet' }, files: { 'a.avro': 'Obj\u0001\u0004\u0014avro.codec' } }),
    'critical',
    ['UNREADABLE_FILE', 'TOO_FEW_ROWS'],
  ],
  [
    'an empty file of Parquet beside a whole one',
    async () => ({
      contract: { format: 'parquet' },
      files: { 'a.parquet': await parquet(whole), 'b.parquet': '' },
    }),
    'critical',
    ['UNREADABLE_FILE'],
  ],
  [
    'truncated Parquet',
    async () => ({
      contract: { format: 'parquet' },
      files: { 'a.parquet': (await parquet(whole)).subarray(0, 900) },
    }),
    'critical',
    ['UNREADABLE_FILE', 'TOO_FEW_ROWS'],
  ],
  [
    'Parquet whose middle is overwritten',
    async () => {
      const body = await parquet(`SELECT i AS id, md5(i::VARCHAR) AS name FROM range(4000) t(i)`);
      body.fill(0xff, 40, body.length - 1_000);
      return { contract: { format: 'parquet' }, files: { 'a.parquet': body } };
    },
    'critical',
    ['UNREADABLE_FILE', 'TOO_FEW_ROWS'],
  ],
  [
    'a field that is not there',
    () => ({
      contract: { format: 'csv' },
      files: {
        'a.csv': `id,label\n${rows(0, 200)
          .map((id) => `${id},x`)
          .join('\n')}\n`,
      },
    }),
    'critical',
    ['FIELD_MISSING'],
  ],
  [
    'a field of another type',
    async () => ({
      contract: { format: 'parquet' },
      files: { 'a.parquet': await parquet(`SELECT 'order ' || i AS id, 'n' AS name FROM range(200) t(i)`) },
    }),
    'critical',
    ['TYPE_ERRORS'],
  ],
  [
    'files of two schemas, with a field more and one of another type',
    async () => ({
      contract: { format: 'parquet' },
      files: {
        'a.parquet': await parquet(whole),
        'b.parquet': await parquet(`SELECT 1.5 AS more, 'x' || i AS id, 'n' AS name FROM range(200) t(i)`),
      },
    }),
    'critical',
    ['TYPE_ERRORS'],
  ],
  [
    'a field more, which harms nobody',
    async () => ({
      contract: { format: 'parquet' },
      files: { 'a.parquet': await parquet(`SELECT 1 AS more, * FROM (${whole})`) },
    }),
    'learning',
    [],
  ],
  [
    'lines of JSON in one array on one line',
    () => ({
      contract: { format: 'jsonl' },
      files: { 'a.jsonl': JSON.stringify(rows(0, 200).map((id) => ({ id, name: 'x' }))) },
    }),
    'critical',
    ['TOO_FEW_ROWS', 'BROKEN_ROWS'],
  ],
  [
    'one line of JSON of two megabytes',
    () => ({ contract: { format: 'jsonl' }, files: { 'a.jsonl': `[${'{"id":1},'.repeat(230_000)}{}]` } }),
    'critical',
    ['UNREADABLE_FILE', 'TOO_FEW_ROWS'],
  ],
  [
    'a file of Latin-1 beside one of UTF-8',
    () => ({
      contract: { format: 'jsonl' },
      files: {
        'a.jsonl': jsonl(rows(0, 200)),
        'b.jsonl': Buffer.from('{"id":300,"name":"Gr\u00fc\u00dfe"}\n', 'latin1'),
      },
    }),
    'critical',
    ['UNREADABLE_FILE'],
  ],
  [
    'CSV of Latin-1 beside one of UTF-8',
    () => ({
      contract: { format: 'csv' },
      files: {
        'a.csv': csv(rows(0, 200)),
        'b.csv': Buffer.from(csv(rows(300, 320)).replaceAll('name ', 'Gr\u00fc\u00dfe '), 'latin1'),
      },
    }),
    'critical',
    ['BROKEN_ROWS'],
  ],
  [
    'text of UTF-16',
    () => ({
      contract: { format: 'jsonl' },
      files: { 'a.jsonl': Buffer.from(`\ufeff${jsonl(rows(0, 200))}`, 'utf16le') },
    }),
    'critical',
    ['UNREADABLE_FILE', 'TOO_FEW_ROWS'],
  ],
  [
    'a byte order mark before UTF-8',
    () => ({
      contract: { format: 'csv' },
      files: { 'a.csv': `\ufeff${csv(rows(0, 200))}` },
    }),
    'learning',
    [],
  ],
  [
    'a byte order mark before lines of JSON',
    () => ({ contract: { format: 'jsonl' }, files: { 'a.jsonl': `\ufeff${jsonl(rows(0, 200))}` } }),
    'learning',
    [],
  ],
  [
    'NUL bytes in CSV',
    () => ({
      contract: { format: 'csv' },
      files: { 'a.csv': `${csv(rows(0, 200))}300,a\u0000b\n` },
    }),
    'learning',
    [],
  ],
  [
    'a partition that is still written',
    () => ({ contract: { format: 'csv', watermarkMinutes: 120 }, files: { 'a.csv': csv(rows(0, 3)) } }),
    'learning',
    [],
  ],
  [
    'a partition of which nothing is finished',
    () => ({
      contract: { format: 'csv' },
      files: { '_temporary/0/a.csv': csv(rows(0, 200)), 'a.csv.tmp': 'id' },
    }),
    'critical',
    ['DATASET_EMPTY'],
  ],
  [
    'a clock that is 10 minutes fast',
    () => ({ contract: timed, files: { 'a.csv': at('2026-11-24T04:10:00Z') } }),
    'warning',
    ['TIME_IN_FUTURE'],
  ],
  [
    'a clock that is 3 minutes fast',
    () => ({ contract: timed, files: { 'a.csv': at('2026-11-24T04:03:00Z') } }),
    'learning',
    [],
  ],
  [
    'times with the offset of a place where clocks were moved',
    () => ({ contract: { ...timed, maxAgeHours: 2 }, files: { 'a.csv': at('2026-11-24T04:30:00+02:00') } }),
    'learning',
    [],
  ],
  [
    'a field without any value',
    () => ({
      contract: { format: 'csv' },
      files: {
        'a.csv': `id,name\n${rows(0, 200)
          .map((id) => `${id},`)
          .join('\n')}\n`,
      },
    }),
    'critical',
    ['FIELD_MISSING'],
  ],
  [
    'a field without any value, which may be empty',
    () => ({
      contract: { format: 'csv', maxNulls: 1 },
      files: {
        'a.csv': `id,name\n${rows(0, 200)
          .map((id) => `${id},`)
          .join('\n')}\n`,
      },
    }),
    'learning',
    [],
  ],
  [
    'nothing but a head',
    () => ({ contract: { format: 'csv' }, files: { 'a.csv': 'id,name\n' } }),
    'critical',
    ['TOO_FEW_ROWS'],
  ],
  [
    'numbers that are none',
    () => ({
      contract: { format: 'csv', fields: [{ name: 'id', type: 'number' }], keys: [] },
      files: { 'a.csv': `id\n${rows(0, 197).join('\n')}\nNaN\ninf\n1e999\n` },
    }),
    'learning',
    [],
  ],
  [
    'more than a check reads',
    () => ({
      contract: { format: 'csv' },
      files: { 'a.csv': csv(rows(0, 60)), 'b.csv': csv(rows(60, 120)), 'c.csv': csv(rows(120, 180)) },
      maxBytes: 1_000,
    }),
    'learning',
    [],
  ],
];

describe('a dataset that somebody else wrote', () => {
  it.each(entries)('%s', async (_, given, verdict, codes) => {
    const found = await checked(await given());
    expect([found.verdict, found.codes, found.findings.map(({ sentence }) => sentence)]).toEqual([
      verdict,
      codes,
      expect.any(Array),
    ]);
    for (const { sentence } of found.findings) expect(sentence.length).toBeLessThan(500);
  });

  it('of which only a part is read says so, and is the same part each time', async () => {
    const entry = entries.at(-1);
    if (!entry) throw new Error('there is an entry');
    const [first, again] = [await checked(await entry[1]()), await checked(await entry[1]())];
    expect(first.profile).toMatchObject({ sampled: true, rows: 60, files: 3 });
    expect(again.profile?.rows).toBe(60);
  });

  it.each(['avro', 'orc', 'xlsx', ''])('of format "%s" has no contract', (format) => {
    const parsed = contractSchema.safeParse({ location: 'file:///data/', format });
    expect(parsed.success).toBe(false);
  });
});
