import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tenantIdPattern } from '../../../../lib/tenants/tenant.ts';
import { isNameOf, jobNameOf, sessionTagsOf } from '../../../../lib/training/attempts/job-name.ts';
import { stageNames } from '../../../../lib/training/stages.ts';

const of = (tenantId: string, runId: string) => ({ tenantId, runId, stage: 'train', attempt: 2 }) as const;
const plain = (runId: string) => jobNameOf(of('acme', runId), 'batch');
const attested = (tenantId: string, runId: string) => jobNameOf(of(tenantId, runId), 'eks');

describe('the name of a job on Batch and on this host', () => {
  it('keeps a short run id readable', () => {
    expect(plain('acme-2026-11-24')).toBe('acme-2026-11-24-train-2');
  });

  it.each(['x'.repeat(80), 'Upper_Case', `${'y'.repeat(45)}-2026-11-24`])(
    'fits 63 of a-z 0-9 "-", which Batch takes, for %s',
    (runId) => {
      expect(plain(runId)).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/);
    },
  );

  it('is never the same for two run ids that are cut or folded', () => {
    expect(plain(`${'x'.repeat(70)}1`)).not.toBe(plain(`${'x'.repeat(70)}2`));
    expect(plain('A_b')).not.toBe(plain('a-b'));
  });
});

describe('the name of a job in Kubernetes', () => {
  it.each([
    ['acme', 'acme-2026-11-24', 'acme.2026-11-24.train.2'],
    ['acme-2', 'acme-2-2026-11-24', 'acme-2.2026-11-24.train.2'],
    ['a'.repeat(36), `${'a'.repeat(36)}-2026-11-24`, `${'a'.repeat(36)}.2026-11-24.train.2`],
  ])('of tenant %s and run %s is %s', (tenantId, runId, name) => {
    expect(attested(tenantId, runId)).toBe(name);
  });

  it.each([
    ['acme', 'by-hand', /^acme\.x\.[0-9a-f]{20}$/],
    ['acme', 'acme-x', /^acme\.x\.[0-9a-f]{20}$/],
    ['acme', 'acme-Run_1', /^acme\.x\.[0-9a-f]{20}$/],
    ['acme', 'acme-a.b.train', /^acme\.x\.[0-9a-f]{20}$/],
    ['a'.repeat(39), `${'a'.repeat(39)}-2026-11-24`, /^a{39}\.x\.[0-9a-f]{20}$/],
    ['acme-', 'acme--2026-11-24', /^x\.acme-x\.[0-9a-f]{20}$/],
  ])('of tenant %s and run %s says the tenant alone', (tenantId, runId, name) => {
    expect(attested(tenantId, runId)).toMatch(name);
    const named = { ...of(tenantId, runId), jobName: attested(tenantId, runId) };
    expect(sessionTagsOf(named)).toEqual({ TenantId: tenantId });
  });

  it('is a DNS name of 63 characters at most, and so short where it says the attempt that the name of its pod says it whole', () => {
    const ids = fc.record({
      tenantId: fc.stringMatching(new RegExp(tenantIdPattern.source)),
      run: fc.oneof(fc.constant('2026-11-24'), fc.stringMatching(/^[\w.-]{1,40}$/)),
      own: fc.boolean(),
      stage: fc.constantFrom(...stageNames),
      attempt: fc.integer({ min: 1, max: 999 }),
    });
    fc.assert(
      fc.property(ids, ({ tenantId, run, own, stage, attempt }) => {
        const named = { tenantId, runId: own ? `${tenantId}-${run}` : run, stage, attempt };
        const jobName = jobNameOf(named, 'eks');
        expect(jobName).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/);
        expect(jobName.length).toBeLessThanOrEqual(63);
        const tags = sessionTagsOf({ ...named, jobName });
        if ('Run' in tags) {
          expect(jobName.length).toBeLessThanOrEqual(57);
          expect(Object.values(tags).join('.')).toBe(jobName);
          expect(`${tags['TenantId']}-${tags['Run']}`).toBe(named.runId);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the names that an event may give the job of an attempt', () => {
  const attempt = of('acme', 'acme-2026-11-24');

  it('in Kubernetes are the name of now and the name that open attempts had before', () => {
    expect(isNameOf('acme.2026-11-24.train.2', attempt, ['eks', 'local'])).toBe(true);
    expect(isNameOf('acme-2026-11-24-train-2', attempt, ['eks', 'local'])).toBe(true);
    expect(isNameOf('acme.2026-11-24.train.3', attempt, ['eks', 'local'])).toBe(false);
    expect(isNameOf('other.2026-11-24.train.2', attempt, ['eks', 'local'])).toBe(false);
  });

  it('on Batch are one', () => {
    expect(isNameOf('acme-2026-11-24-train-2', attempt, ['batch'])).toBe(true);
    expect(isNameOf('acme.2026-11-24.train.2', attempt, ['batch'])).toBe(false);
  });

  it('before this version said no session tag but the tenant', () => {
    expect(sessionTagsOf({ ...attempt, jobName: 'acme-2026-11-24-train-2' })).toEqual({ TenantId: 'acme' });
  });
});
