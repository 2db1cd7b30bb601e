import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Actor, AuditRecord } from '../../../../lib/audit/record.ts';
import { EpsilonError, exitCodes } from '../../../../lib/errors/epsilon-error.ts';
import { audited } from '../../../../lib/operations/audit/audited.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { sequentialIds } from '../../../fixtures/sequential-ids.ts';
import { silentLog as silent } from '../../../fixtures/silent-log.ts';

const actor: Actor = { id: 'os:alice', via: 'socket' };
const full = () => new EpsilonError('DISK_FULL', 'The disk is full.', { exitCode: exitCodes.backend });

let records: AuditRecord[];
let faults: unknown[];
let append: (record: AuditRecord) => Promise<void>;

beforeEach(() => {
  records = [];
  faults = [];
  append = async (record) => {
    records.push(record);
  };
});

/** An act on a tenant that does what the test says. */
function act(perform: (request: { tenantId: string }) => Promise<string>) {
  const ports = {
    audit: { append: (record: AuditRecord) => append(record), list: async () => [] },
    clock: new VirtualClock(0),
    ids: sequentialIds(),
    log: { ...silent, error: (...fault: unknown[]) => void faults.push(fault) },
  };
  return audited(ports, actor, {
    act: 'tenants.suspend',
    args: z.tuple([z.strictObject({ tenantId: z.string() })]),
    subject: ([{ tenantId }]) => `tenant ${tenantId}`,
    perform: ([request]) => perform(request),
  });
}

describe('an audited act', () => {
  it('is on record before it is done', async () => {
    let before: number | undefined;
    await act(async () => {
      before = records.length;
      return 'done';
    })({ tenantId: 'acme' });
    expect(before).toBe(1);
    expect(records).toMatchObject([
      { phase: 'begun', actor: 'os:alice', via: 'socket', subject: 'tenant acme' },
      { phase: 'ended', outcome: 'done' },
    ]);
  });

  it('is not done when it cannot be put on record', async () => {
    let done = 0;
    append = async () => {
      throw full();
    };
    const suspend = act(async () => {
      done += 1;
      return 'done';
    });
    await expect(suspend({ tenantId: 'acme' })).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(done).toBe(0);
  });

  it('is done although its end cannot be put on record, which then says so in the log', async () => {
    append = async (record) => {
      if (record.phase === 'ended') throw full();
      records.push(record);
    };
    expect(await act(async () => 'done')({ tenantId: 'acme' })).toBe('done');
    expect(records).toMatchObject([{ phase: 'begun' }]);
    expect(faults).toHaveLength(1);
  });

  it.each([
    [new EpsilonError('TENANT_NOT_FOUND', 'none'), 'refused', 'TENANT_NOT_FOUND'],
    [new EpsilonError('TENANT_BUSY', 'busy', { exitCode: exitCodes.conflict }), 'refused', 'TENANT_BUSY'],
    [full(), 'failed', 'DISK_FULL'],
    [new Error('a fault'), 'failed', 'INTERNAL'],
  ])('that ends with %s is on record as %s', async (error, outcome, code) => {
    const suspend = act(() => Promise.reject(error));
    await expect(suspend({ tenantId: 'acme' })).rejects.toBe(error);
    expect(records[1]).toMatchObject({ phase: 'ended', outcome, error: code });
  });

  it.each([
    ['an actor beside the request', [{ tenantId: 'acme' }, { actor: 'os:root' }]],
    ['an actor in the request', [{ tenantId: 'acme', actor: 'os:root' }]],
    ['another way in', [{ tenantId: 'acme', via: 'process' }]],
    ['nothing', []],
    ['a request of another form', ['acme']],
  ])('refuses %s, and the record names the real actor', async (_, args) => {
    let done = 0;
    const suspend = act(async () => {
      done += 1;
      return 'done';
    }) as (...given: unknown[]) => Promise<string>;
    await expect(suspend(...args)).rejects.toMatchObject({ code: 'INPUT_INVALID', exitCode: 2 });
    expect(done).toBe(0);
    expect(records).toMatchObject([
      { actor: 'os:alice', via: 'socket', subject: 'unknown' },
      { actor: 'os:alice', via: 'socket', outcome: 'refused', error: 'INPUT_INVALID' },
    ]);
  });

  it('keeps of a long or hostile request a bounded record on one line', async () => {
    const tenantId = `acme\n\u001b[2J${'x'.repeat(10_000)}`;
    await act(async () => 'done')({ tenantId });
    expect(records[0]?.request).toEqual({ omittedBytes: expect.any(Number) });
    expect(records[0]?.subject).toHaveLength(200);
    expect(records[0]?.subject).not.toMatch(/\p{Cc}/u);
  });
});
