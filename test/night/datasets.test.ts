import { mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readProfiled } from '../../lib/operations/quality/read-profiled.ts';
import { contractSchema } from '../../lib/quality/datasets/contract.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import type { JobSpec } from '../../lib/training/attempts/job.ts';
import { leaveProfiles, readOrdered } from '../fixtures/dataset-jobs.ts';
import { freshDir } from '../local/asl/harness.ts';
import { type Night, openNight } from './harness.ts';

let night: Night;

afterEach(async () => {
  await night.runtime.close();
});

const orders = 's3://epsilon-data/acme/orders/';

const contract = {
  location: orders,
  format: 'csv',
  partitioning: 'hour',
  fields: [
    { name: 'id', type: 'integer' },
    { name: 'country', type: 'string', category: true },
  ],
  keys: ['id'],
  minRows: 3,
};

/** The job leaves its result before the backend says that it has ended. */
async function looks({ environment, outputUri: output }: JobSpec): Promise<void> {
  const { objectsRoot } = night.jobs;
  const inputs = environment['EPSILON_INPUTS'] ?? '';
  leaveProfiles(objectsRoot, { inputs, output }, await readOrdered(objectsRoot, inputs));
}

async function write(partition: string, rows: string): Promise<void> {
  const [date = '', hour = ''] = partition.split('T');
  const uri = `${orders}date=${date}/hour=${hour}/part-0.csv`;
  await night.runtime.ports.objects.put(uri, `id,country\n${rows}`);
  // Objects have the age of the virtual clock.
  const now = new Date(night.clock.now());
  utimesSync(join(night.jobs.objectsRoot, uri.slice('s3://'.length)), now, now);
}

/** A tenant with a folder of twelve documents that are old. */
async function addDocuments(tenantId: string, more: Partial<Tenant> = {}): Promise<string> {
  await night.add(tenantId);
  const { tenants } = night.runtime.ports;
  const tenant = await tenants.get(tenantId);
  if (!tenant) throw new Error(`${tenantId} was not added`);
  const folder = freshDir();
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < 12; index += 1) {
    writeFileSync(join(folder, `${index}.txt`), `Document number ${index} says something.`);
    utimesSync(join(folder, `${index}.txt`), 0, 0);
  }
  await tenants.put({ ...tenant, documentsUri: `file://${folder}/`, ...more }, tenant.version);
  return folder;
}

const addAcme = () => addDocuments('acme', { dataset: contractSchema.parse(contract) });

async function check() {
  const { executionArn } = await night.runtime.ports.workflows.start({
    machine: 'data-quality-check',
    input: { trigger: 'manual' },
  });
  expect(await night.until(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
  const { verdict } = await night.runtime.control.quality.standing('acme');
  return { verdict: verdict?.verdict, sentences: verdict?.findings.map(({ sentence }) => sentence) };
}

const whole = '1,DE\n2,DE\n3,FR\n';

describe('a dataset with a contract', () => {
  it('is looked at by a job, partition by partition: what breaks closes the gate until it is replaced', async () => {
    night = await openNight({ schedules: false, variables: { EPSILON_QUALITY_GATE: 'required' } });
    night.jobs.beforeSubmit = looks;
    await addAcme();
    for (const hour of ['22', '23']) await write(`2026-11-23T${hour}`, whole);
    // Its watermark is not over yet.
    await write('2026-11-24T00', '1,DE\n');
    expect(await check()).toEqual({ verdict: 'learning', sentences: [] });
    expect(night.jobs.specs).toMatchObject([{ stage: 'profile', tenantId: 'quality', priority: 100 }]);
    const { verdicts } = night.runtime.ports;
    const [newest] = await verdicts.partitions('acme', 9);
    expect(newest).toMatchObject({ partition: '2026-11-23T23', profile: { rows: 3 }, findings: [] });

    await night.advance(3_600_000);
    expect(await check()).toEqual({
      verdict: 'critical',
      sentences: ['2026-11-24T00: 1 rows, at least 3 are needed'],
    });

    await write('2026-11-24T00', whole);
    await write('2026-11-24T01', '1,DE\n1,DE\n,FR\n');
    await night.advance(3_600_000);
    expect(await check()).toMatchObject({
      verdict: 'critical',
      sentences: [
        '2026-11-24T01: 1 of 3 rows (33.3 %) have no "id", 1 % may',
        '2026-11-24T01: 1 of 3 rows (33.3 %) repeat the key id of another, 0 % may',
      ],
    });
    await write('2026-11-24T01', whole);
    await night.advance(3_600_000);
    expect(await check()).toEqual({
      verdict: 'critical',
      sentences: ['1 partitions are missing: 2026-11-24T02'],
    });
    await write('2026-11-24T02', whole);
    expect(await check()).toEqual({ verdict: 'learning', sentences: [] });
    // Nothing has changed: no job.
    const before = night.jobs.specs.length;
    expect(await check()).toEqual({ verdict: 'learning', sentences: [] });
    expect(night.jobs.specs).toHaveLength(before);
    expect(await verdicts.partitions('acme', 9)).toHaveLength(5);
  });

  it('is looked at again on request, also where checks do not look any more; and hours are left out of what is usual', async () => {
    night = await openNight({ schedules: false });
    night.jobs.beforeSubmit = looks;
    await addAcme();
    const { quality } = night.runtime.control;
    const hours = {
      tenantId: 'acme',
      from: '2026-11-20T00:00:00Z',
      to: '2026-11-20T12:00:00Z',
      reason: 'late',
    };
    await expect(quality.backfill(hours)).rejects.toMatchObject({ code: 'QUALITY_NOT_LEARNT' });
    await write('2026-11-20T05', whole);
    for (const hour of ['22', '23']) await write(`2026-11-23T${hour}`, whole);
    await check();
    const { verdicts } = night.runtime.ports;
    expect(await verdicts.partitions('acme', 9)).toHaveLength(2);
    await quality.backfill(hours);
    await night.advance(60_000);
    await check();
    const judged = await verdicts.partitions('acme', 9);
    expect(judged.map(({ partition }) => partition)).toEqual([
      '2026-11-23T23',
      '2026-11-23T22',
      '2026-11-20T05',
    ]);
    expect(await verdicts.dataset('acme')).toMatchObject({ baseline: { count: 3 } });
    expect(await verdicts.dataset('acme')).not.toHaveProperty('backfill');

    await night.advance(60_000);
    await quality.exclude({ ...hours, from: '2026-11-23T22:00:00Z', to: '2026-11-23T23:00:00Z' });
    expect(await verdicts.dataset('acme')).toMatchObject({ baseline: { count: 2 } });
    expect(await verdicts.memory('acme')).toMatchObject({ excluded: [{ from: '2026-11-23T22:00:00.000Z' }] });
    await night.advance(60_000);
    await quality.accept({ tenantId: 'acme', reason: 'new', from: '2026-11-23T23:00:00Z' });
    expect(await verdicts.dataset('acme')).toMatchObject({ baseline: { count: 1 } });
    const acts = await night.runtime.control.audit.list({
      since: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
      limit: 9,
    });
    expect(acts.map(({ act, outcome }) => `${act} ${outcome}`)).toEqual([
      'quality.accept done',
      'quality.exclude done',
      'quality.backfill done',
      'quality.backfill refused',
    ]);
  });

  it('is not looked at again for hours or a tenant that cannot be meant', async () => {
    night = await openNight({ schedules: false });
    await night.add('beta');
    const hours = {
      tenantId: 'beta',
      from: '2026-11-20T00:00:00Z',
      to: '2026-11-20T12:00:00Z',
      reason: 'late',
    };
    for (const [over, code] of [
      [{ to: '2026-11-19T00:00:00Z' }, 'INPUT_INVALID'],
      [{ from: 'yesterday' }, 'INPUT_INVALID'],
      [{ reason: ' ' }, 'INPUT_INVALID'],
      [{ tenantId: 'nobody' }, 'TENANT_NOT_FOUND'],
      [{ tenantId: 'beta' }, 'QUALITY_NO_DATASET'],
    ] as const)
      await expect(night.runtime.control.quality.backfill({ ...hours, ...over })).rejects.toMatchObject({
        code,
      });
  });

  it('is not told of by a job that acts for another tenant, or leaves what makes no sense', async () => {
    night = await openNight({ schedules: false });
    const { objects, log } = night.runtime.ports;
    const found = { datasets: ['acme', 'beta'].map((tenantId) => ({ tenantId, partitions: [] })) };
    const outputs = ['acme', 'quality', 'gamma'].map((owner) => `s3://data/${owner}/runs/x/profile/1/`);
    const read = async (output = '') => [...(await readProfiled({ objects, log }, [output])).datasets.keys()];
    for (const output of outputs.slice(0, 2))
      await objects.put(`${output}profiles.json`, JSON.stringify(found));
    await objects.put(`${outputs[2]}profiles.json`, '{"datasets":[{"tenantId":"gamma"}]}');
    expect(await read(outputs[0])).toEqual(['acme']);
    expect(await read(outputs[1])).toEqual(['acme', 'beta']);
    expect(await read(outputs[2])).toEqual([]);
  });

  it('is judged by what a job reads of it where documents are too large for a function', async () => {
    night = await openNight({ schedules: false });
    night.jobs.beforeSubmit = looks;
    const folder = await addDocuments('acme');
    const huge = join(folder, 'huge.txt');
    writeFileSync(huge, '');
    truncateSync(huge, 70_000_000);
    utimesSync(huge, 0, 0);
    expect(await check()).toEqual({ verdict: 'learning', sentences: [] });
    const [job] = night.jobs.specs;
    expect(job).toMatchObject({ stage: 'profile', tenantId: 'quality', priority: 100 });
    const { verdicts } = night.runtime.ports;
    expect(await verdicts.memory('acme')).toMatchObject({
      profile: { files: 13, found: 13, used: 12, unreadable: 1, bytes: expect.any(Number) },
    });
    // Nothing has changed: no job. Then few are left, and the next one finds it.
    await check();
    expect(night.jobs.specs).toHaveLength(1);
    for (let index = 0; index < 4; index += 1) rmSync(join(folder, `${index}.txt`));
    await night.advance(60_000);
    expect(await check()).toEqual({
      verdict: 'critical',
      sentences: ['8 usable documents, at least 10 are needed'],
    });
    // A job that leaves nothing says nothing: the verdict stays, and with it the closed gate.
    night.jobs.beforeSubmit = async () => {};
    writeFileSync(join(folder, '0.txt'), 'Once more.');
    await night.advance(60_000);
    const { verdict } = await night.runtime.control.quality.standing('acme');
    await check();
    expect((await night.runtime.control.quality.standing('acme')).verdict).toEqual(verdict);
  });

  it('makes no verdict when its job fails: the last one stays', async () => {
    night = await openNight({ schedules: false });
    night.jobs.fate = () => ({ exitCode: 65 });
    await addAcme();
    for (const hour of ['22', '23']) await write(`2026-11-23T${hour}`, whole);
    expect(await check()).toEqual({ verdict: undefined, sentences: undefined });
  });
});
