import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forecastText } from '../../cli/verbs/state.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { freshDir } from '../fresh-dir.ts';
import { type Night, openNight } from '../night/harness.ts';
import { documentsFolder } from '../workload/harness.ts';
import { call, epsilon } from './harness.ts';

let night: Night;
let control: OperatorApi;

beforeAll(async () => {
  night = await openNight();
  control = night.runtime.control;
});

afterAll(() => night.runtime.close());

function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = freshDir();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const table = (count: number) =>
  `id;body\n${Array.from({ length: count }, (_, row) => `${row};the text of row ${row}`).join('\n')}\n`;

describe('tenants add', () => {
  it('takes the very folder that was named, whatever is in its name', async () => {
    const parent = freshDir();
    for (const [tenant, name] of [
      ['blank', 'a b'],
      ['escaped', 'a%20b'],
      ['percent', '100% docs'],
    ] as const) {
      mkdirSync(join(parent, name));
      writeFileSync(join(parent, name, 'x.md'), `the text of ${name}`);
      expect(
        await epsilon(control, 'tenants', 'add', tenant, '--documents', join(parent, name)),
      ).toMatchObject({ code: 0 });
    }
    const uris = (await control.tenants.list()).map(({ documentsUri }) => documentsUri);
    expect(uris.filter((uri) => /a%20b$|a%2520b$|100%25%20docs$/.test(uri))).toHaveLength(3);
  });

  it.each([
    ['a folder of PDF files', { 'a.pdf': '%PDF-1.4', 'b.pdf': '%PDF-1.4' }, 'DOCUMENTS_UNUSABLE', 'PDF file'],
    ['a folder of hidden files', { '.env': 'SECRET' }, 'DOCUMENTS_EMPTY', '.env'],
    ['a CSV file without the column', { 'a.csv': table(20) }, 'DOCUMENTS_UNUSABLE', 'it has: id, body'],
    [
      'a broken archive',
      { 'a.csv.gz': gzipSync(table(20)).subarray(0, 20) },
      'DOCUMENTS_UNUSABLE',
      'compressed, and broken',
    ],
    [
      'JSONL full of bad lines',
      { 'a.jsonl': `${'{"text":"good"}\n'.repeat(20)}${'{\n'.repeat(20)}` },
      'DATA_JSONL',
      'line 21',
    ],
  ])('refuses %s at once, with the reason', async (_, files, code, reason) => {
    const ran = await epsilon(control, 'tenants', 'add', 'refused', '--documents', folderWith(files));
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(`error ${code}: `);
    expect(ran.err).toContain(reason);
    expect(await control.tenants.get('refused')).toBeUndefined();
  });

  it.each([
    ['climbs', 's3://bucket/../../../etc/'],
    ['is too long', `s3://bucket/${'x'.repeat(131_040)}/`],
    ['is no URI', 'file:///100% docs'],
  ])('refuses a URI that %s', async (_, uri) => {
    const ran = await epsilon(control, 'tenants', 'add', 'refused', '--documents', uri);
    expect(ran).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^error (OBJECT|DOCUMENTS)_URI_INVALID: .{1,500}$/s),
    });
  });

  it('reads the columns that are named, and says what is left out', async () => {
    const folder = folderWith({ 'a.csv': table(20), 'b.pdf': '%PDF-1.4', '.git/config': 'x' });
    const add = ['tenants', 'add', 'columns', '--documents', folder, '--text-column', 'body'];
    const dry = await epsilon(control, ...add, '--dry-run');
    expect(dry.out).toContain('20 of 21 documents would be read (a.csv#0, a.csv#1');
    expect(dry.out).toContain('1 × another kind of file ("b.pdf" a PDF file)');
    expect(dry.out).toContain('1 × its name begins with "." (".git/")');
    expect(await control.tenants.get('columns')).toBeUndefined();
    const json = (await epsilon(control, ...add, '--dry-run', '--json')).json() as { survey?: unknown };
    expect(json.survey).toMatchObject({
      counts: { used: 20, binary: 1, hidden: 1 },
      leftOut: [{ source: '.git/' }, { source: 'b.pdf' }],
    });
    const ran = await epsilon(control, ...add);
    expect(ran).toMatchObject({ code: 0, err: expect.stringContaining('b.pdf') });
    expect(await control.tenants.get('columns')).toMatchObject({ reading: { textColumn: 'body' } });
  });

  it('says when the documents are too few to train', async () => {
    const ran = await epsilon(control, 'tenants', 'add', 'few', '--documents', documentsFolder(3));
    expect(ran).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('3 usable documents; at least 10'),
    });
  });
});

describe('tenants update', () => {
  it('changes documents, priority and limits, and nothing in a dry run', async () => {
    await epsilon(
      control,
      'tenants',
      'add',
      'changing',
      '--documents',
      documentsFolder(12),
      '--max-tokens',
      '5000',
    );
    const folder = documentsFolder(11);
    const words = [
      'tenants',
      'update',
      'changing',
      '--documents',
      folder,
      '--priority',
      '80',
      '--max-tokens',
      'none',
    ];
    expect((await epsilon(control, ...words, '--dry-run')).out).toContain('11 of 11 documents would be read');
    expect(await control.tenants.get('changing')).toMatchObject({ priority: 50, version: 1 });
    expect(await epsilon(control, ...words)).toMatchObject({
      code: 0,
      out: expect.stringContaining('changed'),
    });
    const after = await control.tenants.get('changing');
    expect(after).toMatchObject({ priority: 80, limits: {}, version: 2, capacity: { spotAllowed: true } });
    expect(after?.documentsUri).toContain(folder);
  });

  it.each([
    [[], 'USAGE'],
    [['--priority', '101'], 'TENANT_INVALID'],
    [['--backend', 'eks'], 'TENANT_INVALID'],
    [['--documents', '/nowhere'], 'DOCUMENTS_NOT_FOUND'],
  ])('refuses %j with %s', async (words, code) => {
    await epsilon(control, 'tenants', 'add', 'fixed', '--documents', documentsFolder(12));
    const ran = await epsilon(control, 'tenants', 'update', 'fixed', ...words);
    expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(new RegExp(`^error ${code}: `)) });
    expect(await control.tenants.get('fixed')).toMatchObject({ version: 1 });
  });

  it('refuses a tenant that is not there', async () => {
    expect((await epsilon(control, 'tenants', 'update', 'nobody', '--priority', '1')).err).toContain(
      'TENANT_NOT_FOUND',
    );
  });
});

describe('state', () => {
  it('shows where the space is, as a table and as JSON', async () => {
    const stateDir = folderWith({
      'state.json': '{"product":"epsilon","layout":1}',
      'objects/data/acme/runs/r1/train/1/model.bin': 'x'.repeat(20_000),
      'jobs/j1/stdout.log': 'x',
    });
    const shown = await call({}, ['state', '--state-dir', stateDir]);
    expect(shown.code, shown.err).toBe(0);
    expect(shown.out).toMatch(/objects of runs\s+20\.0 KiB\s+1\n/);
    expect(shown.out).toMatch(/acme\s+20\.0 KiB\s+1\n/);
    const json = (await call({}, ['state', '--state-dir', stateDir, '--json'])).json() as { state?: unknown };
    expect(json.state).toMatchObject({ tenants: [{ tenantId: 'acme', runs: 1 }] });
  });

  it('refuses what is no state directory, and another target', async () => {
    expect((await call({}, ['state', '--state-dir', freshDir()])).err).toContain('STATE_DIR_ABSENT');
    expect((await call({}, ['state', '--target', 'aws'])).err).toContain('USAGE');
  });

  it('says when the disk will be full', () => {
    const forecast = { bytesPerDay: 1_048_576, days: 1, date: '2026-11-27' };
    expect(forecastText({ free: 1_500_000 }, forecast)).toBe(
      '1.4 MiB are free; at 1.0 MiB a day the disk is full in 1 day, on 2026-11-27.',
    );
    expect(forecastText({ free: 1_500_000 }, undefined)).toBe('1.4 MiB are free.');
  });
});
