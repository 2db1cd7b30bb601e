import { mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { profileDataset } from '../../../lib/files/datasets/profile-dataset.ts';
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

describe('a dataset that is not there', () => {
  it('has no profile but an error', async () => {
    await expect(profile('/nowhere/at/all', { format: 'csv' })).rejects.toMatchObject({
      code: 'DATASET_NOT_FOUND',
    });
  });
});
