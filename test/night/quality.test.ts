import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from 'aws-lambda';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { handler as recordVerdicts } from '../../functions/quality/record-verdicts.ts';
import { type Baseline, followProfile } from '../../lib/quality/baseline.ts';
import { wholeProfile } from '../fixtures/quality-history.ts';
import { aTenant } from '../fixtures/records.ts';
import { freshDir } from '../local/asl/harness.ts';
import { type Night, openNight } from './harness.ts';

let night: Night;

afterEach(async () => {
  await night.runtime.close();
});

const required = { schedules: false, variables: { EPSILON_QUALITY_GATE: 'required' } };

/** A folder of documents whose age is the virtual clock's. */
function documents(count: number, text = (index: number) => `Document number ${index} says something.`) {
  const folder = join(freshDir(), 'documents');
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < count; index += 1) write(folder, `${index}.txt`, text(index));
  return folder;
}

function write(folder: string, name: string, body: string | Uint8Array): void {
  const path = join(folder, name);
  writeFileSync(path, body);
  utimesSync(path, new Date('2026-11-23T12:00:00Z'), new Date('2026-11-23T12:00:00Z'));
}

async function add(tenantId: string, folder: string, quality = {}) {
  await night.add(tenantId);
  const { tenants } = night.runtime.ports;
  const tenant = await tenants.get(tenantId);
  if (!tenant) throw new Error(`${tenantId} was not added`);
  await tenants.put({ ...tenant, documentsUri: `file://${folder}/`, quality }, tenant.version);
}

async function check(input: Record<string, unknown> = { trigger: 'manual' }) {
  const { executionArn } = await night.runtime.ports.workflows.start({
    machine: 'data-quality-check',
    input,
  });
  return night.until(executionArn);
}

const standing = (tenantId: string) => night.runtime.control.quality.standing(tenantId);

describe('a data-quality check', () => {
  it('opens the gate of whole data, closes that of broken data, and the night trains the first alone', async () => {
    night = await openNight(required);
    await add('acme', documents(12));
    await add('broken', documents(3));
    await add('empty', documents(0));
    const checked = await check();
    expect(checked).toMatchObject({
      status: 'SUCCEEDED',
      output: { outcome: 'checked', judged: 3, closing: 1, held: false, recorded: 3 },
    });
    expect((await standing('acme')).verdict).toMatchObject({ verdict: 'learning', findings: [] });
    expect((await standing('broken')).verdict).toMatchObject({
      verdict: 'critical',
      findings: [{ code: 'TOO_FEW_DOCUMENTS', sentence: '3 usable documents, at least 10 are needed' }],
    });
    expect((await standing('empty')).verdict).toMatchObject({ verdict: 'no-data' });
    await night.until(await night.fire());
    expect(new Set(night.jobs.specs.map(({ tenantId }) => tenantId))).toEqual(new Set(['acme']));
    const [run] = await night.runtime.control.runs.listRuns({ tenantId: 'broken' });
    expect(run).toMatchObject({
      status: 'skipped',
      cause: expect.stringContaining('at least 10 are needed'),
    });
  });

  it('opens a closed gate again when the data is whole, and announces both', async () => {
    night = await openNight(required);
    const folder = documents(3);
    await add('acme', folder);
    await check();
    for (let index = 3; index < 12; index += 1)
      write(folder, `${index}.txt`, `Another document, number ${index}.`);
    await night.advance(3_600_000);
    await check();
    const { verdict } = await standing('acme');
    expect(verdict).toMatchObject({ verdict: 'learning' });
    expect(verdict?.since).toBe(verdict?.checkedAt);
    const entries = await night.runtime.control.quality.history('acme', 10);
    expect(entries.map(({ verdict, profile }) => [verdict, profile.used])).toEqual([
      ['learning', 12],
      ['critical', 3],
    ]);
  });

  it('reads documents again only when their objects have changed, and still renews the verdict', async () => {
    night = await openNight(required);
    const folder = documents(12);
    await add('acme', folder);
    await check();
    const first = await standing('acme');
    await night.advance(3_600_000);
    await check();
    const second = await standing('acme');
    expect(second.verdict?.checkedAt.localeCompare(first.verdict?.checkedAt ?? '')).toBe(1);
    expect(second.verdict?.since).toBe(first.verdict?.since);
    expect(await night.runtime.control.quality.history('acme', 10)).toHaveLength(1);
  });

  it('finds stale data by the hour', async () => {
    night = await openNight(required);
    await add('acme', documents(12), { maxAgeHours: 14 });
    await check();
    expect((await standing('acme')).verdict).toMatchObject({ findings: [] });
    await night.advance(3_600_000);
    await check();
    expect((await standing('acme')).verdict).toMatchObject({
      verdict: 'critical',
      findings: [{ check: 'freshness', code: 'STALE' }],
    });
  });

  it('says why documents that cannot be found are no data, and keeps looking at the others', async () => {
    night = await openNight(required);
    const gone = documents(12);
    await add('gone', gone);
    await add('zeta', documents(12));
    rmSync(gone, { recursive: true });
    expect(await check()).toMatchObject({ status: 'SUCCEEDED' });
    expect((await standing('gone')).verdict).toMatchObject({
      verdict: 'no-data',
      findings: [{ code: 'NO_DATA' }],
    });
    expect((await standing('zeta')).verdict).toMatchObject({ verdict: 'learning' });
  });

  it('takes very many closing gates for an incident of the platform: people are told once, no gate closes', async () => {
    night = await openNight(required);
    const told = vi.spyOn(night.runtime.ports.notifier, 'notify');
    const few = documents(3);
    for (let index = 0; index < 12; index += 1) await add(`tenant-${index}`, few);
    for (const hour of [0, 1]) {
      await night.advance(hour * 3_600_000);
      expect(await check()).toMatchObject({ output: { closing: 12, held: true, recorded: 0 } });
    }
    expect(told.mock.calls.map(([{ subject }]) => subject)).toEqual([
      'Data of 12 tenants turned critical in one check',
    ]);
    expect((await standing('tenant-3')).verdict).toBeUndefined();
    const decided = await check({ trigger: 'manual', incident: 'close' });
    expect(decided).toMatchObject({ output: { held: false, recorded: 12 } });
    expect((await standing('tenant-3')).verdict).toMatchObject({ verdict: 'critical' });
  });

  it('is made first for a tenant that nobody has looked at, and once for one try', async () => {
    night = await openNight(required);
    await add('acme', documents(12));
    await add('broken', documents(3));
    const fired = await night.until(await night.fire());
    expect(fired).toMatchObject({ status: 'SUCCEEDED', output: { succeeded: 1, skipped: 1 } });
    expect((await standing('acme')).verdict).toMatchObject({ verdict: 'learning' });
    const checks = await night.runtime.ports.workflows.list({ machine: 'data-quality-check' });
    expect(checks).toHaveLength(2);
    const [run] = await night.runtime.control.runs.listRuns({ tenantId: 'acme' });
    const { verdict } = await standing('acme');
    expect(run?.jobOptions).toMatchObject({ judgedDigest: verdict?.digest, judgedAt: verdict?.checkedAt });
    expect(await night.runtime.control.runs.listRuns({ tenantId: 'broken' })).toMatchObject([
      { status: 'skipped', cause: expect.stringContaining('at least 10 are needed') },
    ]);
  });

  it('that cannot look at the new data of a tenant leaves its gate closed, and the run says so', async () => {
    night = await openNight(required);
    await add('acme', documents(12));
    vi.spyOn(night.runtime.ports.objects, 'get').mockRejectedValue(new Error('no'));
    vi.spyOn(night.runtime.ports.objects, 'list').mockImplementation(() => {
      throw new Error('the store does not answer');
    });
    const ended = await night.until(await night.train('acme', 'first'));
    expect(ended.status).not.toBe('RUNNING');
    expect((await standing('acme')).verdict).toBeUndefined();
  });

  it('that was left out so long that verdicts are stale fails the night as the platform, and names tenants', async () => {
    night = await openNight(required);
    const whole = documents(12);
    const names = Array.from({ length: 11 }, (_, index) => `tenant-${index}`);
    for (const name of names) await add(name, whole);
    await check();
    await night.advance(27 * 3_600_000);
    const fired = await night.until(await night.fire());
    expect(fired).toMatchObject({ status: 'FAILED', error: 'NightBelowTarget' });
    expect(fired.cause).toContain('11 skipped');
    expect(fired.cause).toContain('without a valid quality verdict: tenant-0, tenant-1,');
    await check();
    await night.runtime.control.workflows.redrive(fired.executionArn);
    expect(await night.until(fired.executionArn)).toMatchObject({
      status: 'SUCCEEDED',
      output: { succeeded: 11 },
    });
  });

  it('is made when a tenant is added where training needs a verdict', async () => {
    night = await openNight(required);
    const { tenants, workflows } = night.runtime.control;
    const { status: _s, version: _v, createdAt: _c, updatedAt: _u, ...added } = aTenant();
    await tenants.add({ ...added, backend: 'local', documentsUri: `file://${documents(12)}/` });
    const [begun] = await workflows.list({ machine: 'data-quality-check' });
    await night.until(begun?.executionArn ?? '');
    expect((await standing('acme')).verdict).toMatchObject({ verdict: 'learning' });
  });

  it('of named tenants looks at no others', async () => {
    night = await openNight(required);
    for (const name of ['acme', 'beta']) await add(name, documents(12));
    expect(await check({ trigger: 'manual', tenants: ['acme', 'nobody'] })).toMatchObject({
      output: { judged: 1, recorded: 1 },
    });
    expect((await standing('beta')).verdict).toBeUndefined();
  });

  it('delivered twice for one hour checks once', async () => {
    night = await openNight(required);
    await add('acme', documents(12));
    const input = { scheduledTime: '2026-11-24T02:00:00Z' };
    expect(await check(input)).toMatchObject({ output: { outcome: 'checked' } });
    expect(await check(input)).toMatchObject({ output: { outcome: 'duplicate' } });
  });
});

describe('warnings of a day', () => {
  it('are told once, on the next, and close no gate', async () => {
    night = await openNight(required);
    const folder = documents(12);
    await add('acme', folder);
    const told = vi.spyOn(night.runtime.ports.notifier, 'notify');
    // From the future: a warning, on the 24th.
    write(folder, '0.txt', 'Once more.');
    utimesSync(join(folder, '0.txt'), new Date('2027-01-01T00:00:00Z'), new Date('2027-01-01T00:00:00Z'));
    await check();
    expect((await standing('acme')).verdict).toMatchObject({ verdict: 'warning' });
    expect(told).not.toHaveBeenCalled();
    await night.advance(Date.parse('2026-11-25T00:10:00Z') - night.clock.now());
    await check({ trigger: 'manual', tenants: ['acme'] });
    expect(told).not.toHaveBeenCalled();
    await check();
    await night.advance(3_600_000);
    await check();
    expect(told.mock.calls.map(([message]) => message)).toEqual([
      {
        subject: 'Data of 1 tenants was unusual on 2026-11-24',
        body: expect.stringContaining('acme: '),
        severity: 'info',
      },
    ]);
  });
});

describe('a new level', () => {
  it('that an operator accepts is learnt from the next check on, and opens the gate', async () => {
    night = await openNight(required);
    await add('acme', documents(16));
    const now = night.clock.now();
    let baseline: Baseline | undefined;
    for (let hour = 240; hour > 0; hour -= 1)
      baseline = followProfile(baseline, wholeProfile(), now - hour * 3_600_000).baseline;
    const memory = { tenantId: 'acme', checkedAt: new Date(now - 3_600_000).toISOString() };
    if (baseline)
      await night.runtime.ports.verdicts.remember({ ...memory, profile: wholeProfile(), baseline });
    await check();
    expect((await standing('acme')).verdict).toMatchObject({
      verdict: 'critical',
      findings: expect.arrayContaining([expect.objectContaining({ code: 'UNUSUAL_DOCUMENTS' })]),
    });
    const { quality } = night.runtime.control;
    await night.advance(1_000);
    await quality.accept({ tenantId: 'acme', reason: 'fewer products' });
    await night.advance(1_000);
    await check();
    expect((await standing('acme')).verdict).toMatchObject({ verdict: 'learning', findings: [] });
  });

  it.each([
    ['nobody', 'reason', 'TENANT_NOT_FOUND'],
    ['acme', ' ', 'INPUT_INVALID'],
    ['acme', 'reason', 'QUALITY_NOT_LEARNT'],
  ])('is refused for %s, reason "%s": %s', async (tenantId, reason, code) => {
    night = await openNight(required);
    await night.add('acme');
    await expect(night.runtime.control.quality.accept({ tenantId, reason })).rejects.toMatchObject({ code });
  });
});

describe('a verdict file', () => {
  it('F62: that names a tenant of another shard is refused whole, and no gate changes', async () => {
    night = await openNight(required);
    await add('acme', documents(12));
    await add('beta', documents(12));
    await check();
    const { ports } = night.runtime;
    const before = [await standing('acme'), await standing('beta')];
    const shard = { prefix: 'quality/forged/', shard: 0, shards: 1, only: ['acme'] };
    const forged = ['acme', 'beta'].map((tenantId) => ({
      verdict: { tenantId, checkedAt: '2030-01-01T00:00:00Z', verdict: 'critical', findings: [] },
      turns: 'closed',
    }));
    const uri = `s3://${ports.config.dataBucket}/quality/forged/0-verdicts.json`;
    await ports.objects.put(uri, JSON.stringify(forged), { contentType: 'application/json' });
    const event = { shard, hold: false, execution: { id: 'arn', name: 'forged' } };
    const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 1_000 } as Context;
    const sent = recordVerdicts.withPorts(ports as never)(event, context);
    await expect(sent).rejects.toMatchObject({ code: 'SHARD_FILE_FOREIGN' });
    expect([await standing('acme'), await standing('beta')]).toEqual(before);
  });
});

describe("an operator's decision on a gate", () => {
  it('lets a tenant be trained until it expires, and is on record', async () => {
    night = await openNight(required);
    await add('acme', documents(3));
    await check();
    const { quality, audit } = night.runtime.control;
    await quality.open({ tenantId: 'acme', reason: 'the customer knows', hours: 2 });
    expect(await night.until(await night.train('acme', 'first'))).toMatchObject({
      output: { outcome: 'succeeded' },
    });
    expect((await night.runtime.control.runs.getRun('first'))?.jobOptions).not.toHaveProperty('judgedDigest');
    await night.advance(2 * 3_600_000);
    expect(await night.until(await night.train('acme', 'second'))).toMatchObject({
      output: { outcome: 'skipped' },
    });
    const [entry] = await audit.list({
      since: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
      limit: 1,
    });
    expect(entry).toMatchObject({ act: 'quality.open', subject: 'tenant acme', outcome: 'done' });
  });

  it.each([
    ['nobody', 'reason', 1, 'TENANT_NOT_FOUND'],
    ['acme', ' ', 1, 'INPUT_INVALID'],
    ['acme', 'reason', 169, 'INPUT_INVALID'],
    ['acme', 'reason', -1, 'INPUT_INVALID'],
    ['acme', 'reason', Number.NaN, 'INPUT_INVALID'],
  ])('is refused for %s, reason "%s", %d hours: %s', async (tenantId, reason, hours, code) => {
    night = await openNight(required);
    await night.add('acme');
    await expect(night.runtime.control.quality.open({ tenantId, reason, hours })).rejects.toMatchObject({
      code,
    });
  });
});
