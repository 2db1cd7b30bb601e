import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgedHistory } from '../fixtures/quality-history.ts';
import { freshDir } from '../local/asl/harness.ts';
import { type Night, openNight } from '../night/harness.ts';
import { epsilon } from './harness.ts';

let night: Night;

beforeEach(async () => {
  night = await openNight({ schedules: false });
  await night.add('acme');
});

afterEach(async () => {
  await night.runtime.close();
});

describe('quality show', () => {
  it('of an unknown tenant says so, with and without a page', async () => {
    const page = join(freshDir(), 'page.html');
    for (const more of [[], ['--html', page]]) {
      const { code, err } = await epsilon(night.runtime.control, 'quality', 'show', 'nobody', ...more);
      expect(code).toBe(2);
      expect(err).toContain('TENANT_NOT_FOUND');
    }
    expect(readdirSync(join(page, '..'))).toEqual([]);
  });

  it('--html writes one page with what was expected and what was found', async () => {
    const { verdicts } = night.runtime.ports;
    const history = judgedHistory(60, { until: night.runtime.control.clock.now(), broken: new Set([55]) });
    for (const entry of history) await verdicts.append(entry);
    const folder = freshDir();
    const ran = await epsilon(
      night.runtime.control,
      ...['quality', 'show', 'acme', '--html', join(folder, 'acme.html'), '--json'],
    );
    expect(ran.err).toBe('');
    expect(ran.json()).toMatchObject({ tenantId: 'acme', html: join(folder, 'acme.html') });
    const page = readFileSync(join(folder, 'acme.html'), 'utf8');
    expect(page).toMatch(/<title>[^<]*documents, expected/);
    expect(page).toContain('class="band"');
    expect(page).toContain('60 judgements of new data in 3 days');
    expect(readdirSync(folder)).toEqual(['acme.html']);
  });

  it('--html without judgements is a page that says so', async () => {
    const file = join(freshDir(), 'acme.html');
    expect(await epsilon(night.runtime.control, 'quality', 'show', 'acme', '--html', file)).toMatchObject({
      code: 0,
      out: `Written: ${file}\n`,
    });
    expect(readFileSync(file, 'utf8')).toContain('No judgement is on record yet.');
  });

  it('--html into a folder that is not there writes nothing and says why', async () => {
    const file = join(freshDir(), 'none', 'acme.html');
    const { code, err } = await epsilon(night.runtime.control, 'quality', 'show', 'acme', '--html', file);
    expect(code).toBe(2);
    expect(err).toContain('FILE_UNWRITABLE');
  });
});

describe('quality profile', () => {
  const contractOf = (text: string) => {
    const file = join(freshDir(), 'contract.yml');
    writeFileSync(file, text);
    return file;
  };

  it('holds a dataset to its contract, and ends with 1 when it does not keep it', async () => {
    const folder = freshDir();
    writeFileSync(join(folder, 'a.csv'), 'id,name\n1,a\n1,b\n');
    const contract = contractOf(
      `location: file://${folder}/\nformat: csv\nfields: [{name: id, type: integer}]\nkeys: [id]\n`,
    );
    const { code, out, err } = await epsilon(undefined, 'quality', 'profile', contract);
    expect(out).toContain('1 of 2 rows (50 %) repeat the key id of another, 0 % may');
    expect(err).toContain('DATASET_BELOW_CONTRACT');
    expect(code).toBe(1);
    writeFileSync(join(folder, 'a.csv'), 'id,name\n1,a\n2,b\n');
    utimesSync(join(folder, 'a.csv'), 0, 0);
    const whole = await epsilon(undefined, 'quality', 'profile', contract, '--json');
    expect(whole.code).toBe(0);
    expect(whole.json()).toMatchObject({ profile: { rows: 2 }, findings: [] });
  });

  it.each([
    ['format: [', 'CONTRACT_UNREADABLE'],
    ['location: file:///x/\nformat: avro\n', 'CONTRACT_INVALID'],
    ['location: file:///x/\nformat: csv\nkey: [id]\n', 'key: no such key'],
    ['location: s3://bucket/x/\nformat: csv\n', 'CONTRACT_INVALID'],
    ['location: file:///nowhere/\nformat: csv\n', 'DATASET_NOT_FOUND'],
  ])('refuses the contract %j: %s', async (text, said) => {
    const { code, err } = await epsilon(undefined, 'quality', 'profile', contractOf(text));
    expect(code).toBe(2);
    expect(err).toContain(said);
  });
});

describe('a contract of a tenant', () => {
  const update = (dataset: string) =>
    epsilon(night.runtime.control, 'tenants', 'update', 'acme', '--dataset', dataset, '--json');

  it('is put on record with its defaults, is refused by its field, and is taken away by "none"', async () => {
    const file = join(freshDir(), 'contract.yml');
    writeFileSync(file, 'location: s3://epsilon-data/acme/orders/\nformat: parquet\npartitioning: hour\n');
    expect((await update(file)).json()).toMatchObject({
      tenant: { dataset: { partitioning: 'hour', watermarkMinutes: 60 } },
    });
    writeFileSync(file, 'location: s3://epsilon-data/acme/orders\nformat: parquet\n');
    const refused = await update(file);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('does not end in')]);
    expect((await update('none')).code).toBe(0);
    const { dataset } = (await night.runtime.control.tenants.get('acme')) ?? {};
    expect(dataset).toBeUndefined();
  });
});

describe('quality run', () => {
  it('of a tenant that is not there starts nothing', async () => {
    const { code, out } = await epsilon(night.runtime.control, 'quality', 'run', 'nobody');
    expect([code, out]).toEqual([2, '']);
    expect(await night.runtime.control.workflows.list({ machine: 'data-quality-check' })).toEqual([]);
  });
});
