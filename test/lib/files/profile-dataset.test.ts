import { mkdirSync, readFileSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { cutParquet, cutText } from '../../../lib/files/datasets/cut-file.ts';
import { profileDataset, profileFiles } from '../../../lib/files/datasets/profile-dataset.ts';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import { contractSchema } from '../../../lib/quality/datasets/contract.ts';
import { freshDir } from '../../local/asl/harness.ts';

const everything = { maxBytes: Number.POSITIVE_INFINITY };

function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(freshDir(), "it's a [folder]");
  for (const [name, body] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), body);
    utimesSync(join(folder, name), new Date('2026-11-24T01:00:00Z'), new Date('2026-11-24T01:00:00Z'));
  }
  return folder;
}

const profile = (folder: string, contract: Record<string, unknown>, options = everything) =>
  profileDataset(contractSchema.parse({ location: `${pathToFileURL(folder).href}/`, ...contract }), options);

const fields = [
  { name: 'id', type: 'integer' },
  { name: 'amount', type: 'number' },
  { name: 'at', type: 'timestamp' },
];

describe('a profile of lines of JSON', () => {
  it('counts empty fields, other types, broken rows and repeated keys, and names files it cannot read', async () => {
    const folder = folderOf({
      'a.jsonl':
        '{"id":1,"amount":"x","at":"2026-11-01T02:00:00Z"}\n{"id":2,"amount":2.5}\nnot json\n{"id":2,"n":null}\n[1]\n\n',
      'empty.jsonl': '',
      'long.jsonl': `{"id":"${'x'.repeat(2 ** 21)}"}`,
      'latin.jsonl': new Uint8Array([0x7b, 0xff, 0xfe, 0x7d, 0x0a]),
      _SUCCESS: '',
      '.hidden.jsonl': 'nothing',
      'next.jsonl.tmp': '{"id":',
    });
    symlinkSync('/etc/passwd', join(folder, 'link.jsonl'));
    const strange = { name: 'o\'dd"n$.me\\', type: 'string' };
    const found = await profile(folder, {
      format: 'jsonl',
      fields: [...fields, strange],
      keys: ['id'],
      eventTime: 'at',
    });
    expect(found).toMatchObject({
      files: 4,
      unfinished: 1,
      rows: 5,
      broken: 2,
      duplicates: 1,
      newestEvent: '2026-11-01T02:00:00.000Z',
      newestArrival: '2026-11-24T01:00:00.000Z',
      sampled: false,
    });
    expect(found.fields).toMatchObject([
      { name: 'id', nulls: 0, typeErrors: 0 },
      { name: 'amount', nulls: 1, typeErrors: 1, mean: 2.5 },
      { name: 'at', nulls: 2, missing: false },
      { missing: true },
    ]);
    expect(found.unreadable.map(({ file }) => file).sort()).toEqual(['latin.jsonl', 'long.jsonl']);
    expect(found.unreadable.map(({ why }) => why).join()).toMatch(/Maximum line size.*|unicode/i);
    expect(JSON.stringify(found)).not.toContain('xxxxxxxx');
  });
});

describe('a profile of CSV', () => {
  it('reads files whose columns differ, and counts rows that are no rows', async () => {
    const folder = folderOf({
      'a.csv': 'id,amount,at\n1,2.5,2026-11-01 02:00:00\n2,zwei,\n3,,\n4,5\n5,6,7,8\n1,3,\n',
      'b.csv': 'at,id\n2026-11-02 00:00:00,9\n',
    });
    const found = await profile(folder, { format: 'csv', fields, keys: ['id'], eventTime: 'at' });
    expect(found).toMatchObject({
      rows: 7,
      broken: 2,
      duplicates: 1,
      newestEvent: '2026-11-02T00:00:00.000Z',
      unreadable: [],
    });
    expect(found.fields).toMatchObject([
      { nulls: 0, typeErrors: 0 },
      { nulls: 2, typeErrors: 1 },
      { nulls: 3, typeErrors: 0 },
    ]);
  });
});

describe('a profile of Parquet', () => {
  it('counts rows by partition, and names files that are cut off', async () => {
    const folder = folderOf({ 'date=2026-11-01/hour=02/x.parquet': 'PAR1' });
    const [whole, cut] = ['date=2026-11-01/hour=00/a.parquet', 'date=2026-11-01/hour=01/a.parquet'];
    const database = await DuckDBInstance.create(':memory:');
    const connection = await database.connect();
    for (const name of [whole, cut]) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      await connection.run(
        `COPY (SELECT i AS id, i / 2 AS amount, TIMESTAMP '2026-11-01' AS "at" FROM range(5000) t(i)) TO '${path.replaceAll("'", "''")}' (FORMAT PARQUET)`,
      );
    }
    truncateSync(join(folder, cut), 3_000);
    const contract = { format: 'parquet', fields, keys: ['id'], partitioning: 'hour' };
    const found = await profile(folder, contract);
    expect(found).toMatchObject({ rows: 5_000, duplicates: 0, broken: 0 });
    expect(found.partitions).toEqual({ '2026-11-01T00': 5_000, '2026-11-01T01': 0, '2026-11-01T02': 0 });
    expect(found.unreadable.map(({ file }) => file).sort()).toEqual([
      cut,
      'date=2026-11-01/hour=02/x.parquet',
    ]);
    const sampled = await profile(folder, contract, { maxBytes: 1 });
    expect(sampled.sampled).toBe(true);
    expect(await profile(folder, contract, { maxBytes: 1 })).toEqual(sampled);
  });
});

describe('an object that is larger than a check reads', () => {
  const objectsWith = async (name: string, body: string | Uint8Array) => {
    const root = freshDir();
    const objects = createFileObjectStore({ root });
    const uri = `s3://data/${name}`;
    await objects.put(uri, body);
    const { size = 0 } = (await objects.head(uri)) ?? {};
    return { objects, large: { uri, name, size }, folder: freshDir() };
  };
  const look = (
    path: string,
    given: Record<string, unknown>,
    ranges?: Parameters<typeof profileFiles>[2]['ranges'],
  ) => {
    const contract = contractSchema.parse({ location: 's3://data/', ...given });
    const files = [{ path, name: 'large', size: 1, modifiedAt: 0 }];
    return profileFiles(
      contract,
      { folder: join(path, '..'), files, unfinished: 0 },
      { ...everything, ranges },
    );
  };

  it('of Parquet is read by some row groups, always the same ones, and the rest is not copied', async () => {
    const source = join(freshDir(), 'x.parquet');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(
      `COPY (SELECT i AS id, i / 2 AS amount, 'text ' || (i * 7919 % 1000003) AS note FROM range(20480) t(i)) TO '${source}' (FORMAT PARQUET, ROW_GROUP_SIZE 2048)`,
    );
    const { objects, large, folder } = await objectsWith('x.parquet', readFileSync(source));
    const contract = contractSchema.parse({ location: 's3://data/', format: 'parquet' });
    const wanted = { contract, maxBytes: large.size / 3, folder };
    const path = join(folder, 'cut.parquet');
    const ranges = await cutParquet(objects, large, path, wanted);
    expect(ranges?.length).toBeGreaterThanOrEqual(2);
    expect(ranges?.length).toBeLessThanOrEqual(4);
    expect(await cutParquet(objects, large, join(folder, 'again.parquet'), wanted)).toEqual(ranges);
    const found = await look(path, { format: 'parquet', fields: fields.slice(0, 2), keys: ['id'] }, ranges);
    expect(found).toMatchObject({ rows: 2_048 * (ranges?.length ?? 0), unreadable: [], duplicates: 0 });
    // What is no Parquet is said by its reader, and so is a footer that promises more than there is.
    for (const body of ['no Parquet at all, however long', `${'x'.repeat(40)}\xff\xff\xff\x7fPAR1`]) {
      const other = await objectsWith('y.parquet', Buffer.from(body, 'latin1'));
      const broken = join(folder, 'broken.parquet');
      expect(await cutParquet(other.objects, other.large, broken, wanted)).toBeUndefined();
      expect((await look(broken, { format: 'parquet' })).unreadable).toHaveLength(1);
    }
  });

  it('of text is read from its beginning to the end of a line; one line that is longer is no row', async () => {
    const rows = Array.from({ length: 100 }, (_, index) => `{"id":${index}}`).join('\n');
    const { objects, large, folder } = await objectsWith('x.jsonl', rows);
    const path = join(folder, 'cut.jsonl');
    await cutText(objects, large, path, 95);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(11);
    expect(await look(path, { format: 'jsonl', fields: fields.slice(0, 1) })).toMatchObject({
      rows: 10,
      broken: 0,
    });
    const one = await objectsWith('y.jsonl', `{"id":"${'x'.repeat(500)}"}`);
    await cutText(one.objects, one.large, path, 95);
    expect(await look(path, { format: 'jsonl', fields: fields.slice(0, 1) })).toMatchObject({
      rows: 1,
      broken: 1,
    });
  });
});

describe('a dataset that is not there', () => {
  it('has no profile but an error', async () => {
    await expect(profile('/nowhere/at/all', { format: 'csv' })).rejects.toMatchObject({
      code: 'DATASET_NOT_FOUND',
    });
  });
});
