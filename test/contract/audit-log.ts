import { describe, expect, it } from 'vitest';
import type { BegunRecord, EndedRecord } from '../../lib/audit/record.ts';
import type { AuditFilter, AuditLog } from '../../lib/ports/audit-log.ts';

const id = (number: number) => String(number).padStart(26, '0');

/** An act that began in a minute of a day; override what the test is about. */
function begun(number: number, over: Partial<BegunRecord> = {}): BegunRecord {
  return {
    phase: 'begun',
    auditId: id(number),
    begunAt: '2026-11-24T02:00:00.000Z',
    actor: 'os:alice',
    via: 'process',
    act: 'tenants.suspend',
    subject: 'tenant acme',
    request: [{ tenantId: 'acme' }],
    ...over,
  };
}

const ended = (record: BegunRecord, over: Partial<EndedRecord> = {}): EndedRecord => ({
  ...record,
  phase: 'ended',
  endedAt: '2026-11-24T02:00:01.000Z',
  outcome: 'done',
  ...over,
});

const everything: AuditFilter = {
  since: '2026-01-01T00:00:00.000Z',
  until: '2027-01-01T00:00:00.000Z',
  limit: 100,
};

/** What every audit log must do. */
export function describeAuditLog(name: string, make: () => Promise<{ readonly audit: AuditLog }>): void {
  describe(`AuditLog: ${name}`, () => {
    it('tells an act by both its records, and one without its end as unknown', async () => {
      const { audit } = await make();
      await audit.append(begun(1));
      expect(await audit.list(everything)).toEqual([expect.objectContaining({ outcome: 'unknown' })]);
      await audit.append(ended(begun(1), { outcome: 'refused', error: 'TENANT_NOT_FOUND' }));
      const { phase: _, ...facts } = begun(1);
      expect(await audit.list(everything)).toEqual([
        { ...facts, endedAt: '2026-11-24T02:00:01.000Z', outcome: 'refused', error: 'TENANT_NOT_FOUND' },
      ]);
    });

    it('refuses a second record of an act and phase, and keeps the first', async () => {
      const { audit } = await make();
      await audit.append(begun(1));
      await expect(audit.append(begun(1, { actor: 'os:mallory' }))).rejects.toMatchObject({
        name: 'ConditionFailed',
      });
      await audit.append(ended(begun(1)));
      await expect(audit.append(ended(begun(1), { outcome: 'failed' }))).rejects.toMatchObject({
        name: 'ConditionFailed',
      });
      expect(await audit.list(everything)).toMatchObject([{ actor: 'os:alice', outcome: 'done' }]);
    });

    it('lists newest first, over months, and as many acts as were asked for', async () => {
      const { audit } = await make();
      const at = ['2026-09-30T23:59:59.999Z', '2026-11-01T00:00:00.000Z', '2026-11-24T02:00:00.000Z'];
      for (const [number, begunAt] of at.entries()) {
        await audit.append(begun(number, { begunAt }));
        if (number !== 1) await audit.append(ended(begun(number, { begunAt })));
      }
      const listed = async (over: Partial<AuditFilter>) =>
        (await audit.list({ ...everything, ...over })).map(({ auditId }) => Number(auditId));
      expect(await listed({})).toEqual([2, 1, 0]);
      expect(await listed({ limit: 1 })).toEqual([2]);
      expect(await listed({ limit: 2 })).toEqual([2, 1]);
      expect((await audit.list({ ...everything, limit: 1 }))[0]).toMatchObject({ outcome: 'done' });
    });

    it('lists what began in a span of time, its first instant included and its last not', async () => {
      const { audit } = await make();
      for (const [number, second] of ['00', '01', '02'].entries())
        await audit.append(begun(number, { begunAt: `2026-11-24T02:00:${second}.000Z` }));
      const since = '2026-11-24T02:00:00.000Z';
      const until = '2026-11-24T02:00:02.000Z';
      expect((await audit.list({ ...everything, since, until })).map(({ auditId }) => auditId)).toEqual([
        id(1),
        id(0),
      ]);
    });

    it('lists by actor and by subject', async () => {
      const { audit } = await make();
      await audit.append(begun(1));
      await audit.append(begun(2, { actor: 'os:bob' }));
      await audit.append(ended(begun(2, { actor: 'os:bob' })));
      await audit.append(begun(3, { actor: 'os:bob', subject: 'tenant beta' }));
      const listed = async (over: Partial<AuditFilter>) =>
        (await audit.list({ ...everything, ...over })).map(({ auditId }) => Number(auditId));
      expect(await listed({ actor: 'os:bob' })).toEqual([3, 2]);
      expect(await listed({ subject: 'tenant acme' })).toEqual([2, 1]);
      expect(await listed({ actor: 'os:bob', subject: 'tenant acme', limit: 1 })).toEqual([2]);
      expect(await listed({ actor: 'nobody' })).toEqual([]);
    });

    it('gives back whatever was asked for', async () => {
      const { audit } = await make();
      const request = [{ machine: 'm', input: { deep: [1.5, null, 'ü', { a: {} }] } }, null];
      await audit.append(begun(1, { request }));
      expect(await audit.list(everything)).toMatchObject([{ request }]);
    });
  });
}
