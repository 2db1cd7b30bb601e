import { afterEach, describe, expect, it } from 'vitest';
import type { TableStores } from '../../../../lib/aws/table/open-stores.ts';
import { type MemoryStores, openMemoryStores } from '../../../dynamodb/memory-stores.ts';
import { aModel, anAttempt, aRun, aTenant } from '../../../fixtures/records.ts';

const at = (minute: number) => `2026-11-24T02:${String(minute).padStart(2, '0')}:00.000Z`;
const lease = { tenantId: 'acme', holder: 'r' };
const model = aModel({ modelVersion: 'v1' });

/** What stands in the table before a call is tried. */
async function prepare(stores: TableStores): Promise<void> {
  await stores.tenants.put(aTenant(), 0);
  await stores.runs.createRun(aRun());
  await stores.runs.createAttempt(anAttempt());
  await stores.leases.acquire({ ...lease, now: at(0), expiresAt: at(30) });
  await stores.models.register(model);
  await stores.locks.tryLock({ name: 'l', holder: 'r', now: at(0), expiresAt: at(30) });
}

type Call = readonly [what: string, action: string, call: (stores: TableStores) => Promise<unknown>];

/** Every call of DynamoDB that the stores make. */
const reads: readonly Call[] = [
  ['a run', 'GetItem', ({ runs }) => runs.getRun('acme-2026-11-24')],
  ['a run with its attempts', 'Query', ({ runs }) => runs.getRunWithAttempts('acme-2026-11-24')],
  ['all tenants', 'BatchGetItem', ({ tenants }) => tenants.list()],
  ['runs by status', 'Scan', ({ runs }) => runs.listRuns({ status: 'failed' })],
];
const submitted = { status: ['submitted'] } as const;
const writes: readonly Call[] = [
  ['a new run', 'TransactWriteItems', ({ runs }) => runs.createRun(aRun({ runId: 'new' }))],
  [
    'a changed run',
    'UpdateItem',
    ({ runs }) => runs.updateRun('acme-2026-11-24', { status: 'failed' }, { status: ['running'] }),
  ],
  [
    'a new attempt with its lease',
    'TransactWriteItems',
    ({ runs }) =>
      runs.createAttempt(anAttempt({ stage: 'index' }), {
        lease: { ...lease, fence: 1, expiresAt: at(50) },
      }),
  ],
  [
    'the end of an attempt',
    'UpdateItem',
    ({ runs }) => runs.updateAttempt(anAttempt(), { status: 'succeeded' }, submitted),
  ],
  [
    'a token replaced under its own condition',
    'UpdateItem',
    ({ runs }) =>
      runs.updateAttempt(
        anAttempt(),
        { taskToken: 'token-2', tokenDigest: 'digest-2' },
        { ...submitted, tokenDigest: 'digest-1' },
      ),
  ],
  ['a new tenant', 'TransactWriteItems', ({ tenants }) => tenants.put(aTenant({ tenantId: 'beta' }), 0)],
  ['the next version of a tenant', 'PutItem', ({ tenants }) => tenants.put(aTenant({ priority: 1 }), 1)],
  ['a tenant’s end', 'TransactWriteItems', ({ tenants }) => tenants.remove('acme', 1)],
  ['a lease', 'UpdateItem', ({ leases }) => leases.acquire({ ...lease, now: at(1), expiresAt: at(9) })],
  ['a renewal', 'UpdateItem', ({ leases }) => leases.renew({ ...lease, fence: 1, expiresAt: at(9) })],
  ['a lease’s end', 'UpdateItem', ({ leases }) => leases.release({ ...lease, fence: 1 })],
  [
    'a claim',
    'PutItem',
    async ({ claims }) => {
      const claim = { machine: 'm', scheduledTime: at(0), holder: 'r', now: at(0) };
      expect(await claims.claim(claim)).toEqual({ claimed: true, holder: 'r' });
    },
  ],
  [
    'a lock',
    'PutItem',
    async ({ locks }) => {
      const lock = { name: 'new', holder: 'r', now: at(0), expiresAt: at(1) };
      expect(await locks.tryLock(lock)).toBe(true);
    },
  ],
  ['a lock’s end', 'DeleteItem', ({ locks }) => locks.unlock({ name: 'l', holder: 'r' })],
  ['a model', 'PutItem', ({ models }) => models.register({ ...model, modelVersion: 'v2' })],
  [
    'a promotion',
    'TransactWriteItems',
    ({ models }) =>
      models.promote({ tenantId: 'acme', modelVersion: 'v1', fence: 1, at: at(2), reason: 'run' }),
  ],
  [
    'a verdict',
    'PutItem',
    ({ verdicts }) =>
      verdicts.record({ tenantId: 'acme', verdict: 'passed', findings: [], checkedAt: at(1), since: at(1) }),
  ],
];

let stores: MemoryStores;

async function open(maxAttempts: number): Promise<MemoryStores> {
  stores = openMemoryStores({ maxAttempts });
  await prepare(stores);
  return stores;
}

/** What is stored, apart from what differs with every write. */
const contents = ({ dynamo }: MemoryStores) =>
  dynamo.table
    .all()
    .map(({ writeId: _, wrapped: __, sealedToken: sealed, ...item }) =>
      JSON.stringify({ ...item, sealed: sealed !== undefined }),
    )
    .sort();

afterEach(() => {
  expect(JSON.stringify(stores.dynamo.table.all())).not.toMatch(/token-[12]/);
});

describe('each call of DynamoDB', () => {
  it.each([...reads, ...writes])('%s (%s) that is throttled asks to come again', async (_, action, call) => {
    const { dynamo } = await open(1);
    dynamo.fail({ action, when: 'before', name: 'ThrottlingException', times: 9 });
    await expect(call(stores)).rejects.toMatchObject({
      name: 'Throttled',
      retryable: true,
      message: expect.stringContaining(`dynamodb:${action} on epsilon-test`),
    });
  });

  it.each([...reads, ...writes])(
    'F20: %s (%s) without permission names action and table',
    async (_, action, call) => {
      const { dynamo } = await open(1);
      dynamo.fail({ action, when: 'before', name: 'AccessDeniedException', times: 9 });
      await expect(call(stores)).rejects.toMatchObject({
        code: 'AWS_ACCESS_DENIED',
        retryable: false,
        details: { action: `dynamodb:${action}`, resource: 'epsilon-test' },
      });
    },
  );

  it.each([...reads, ...writes])('%s (%s) without the table says so', async (_, action, call) => {
    const { dynamo } = await open(1);
    dynamo.fail({ action, when: 'before', name: 'ResourceNotFoundException', times: 9 });
    await expect(call(stores)).rejects.toMatchObject({
      code: 'TABLE_NOT_FOUND',
      message: expect.stringContaining('epsilon-test'),
    });
  });

  it.each([...reads, ...writes])(
    'F10: %s (%s) that is done but whose answer is lost is done once and no error',
    async (_, action, call) => {
      const undisturbed = await open(1);
      await call(undisturbed);
      const wanted = contents(undisturbed);
      const { dynamo } = await open(4);
      const before = dynamo.calls.length;
      dynamo.fail({ action, when: 'after', name: 'TimeoutError' });
      await call(stores);
      expect(dynamo.calls.slice(before).filter((made) => made.action === action).length).toBe(2);
      // A fence may rise twice: it only has to rise.
      const without = (items: string[]) => items.map((item) => item.replace(/"fence":\{"N":"\d+"\}/, ''));
      expect(without(contents(stores))).toEqual(without(wanted));
    },
  );

  it.each(writes)('%s (%s) that meets another transaction is tried again', async (_, action, call) => {
    const { dynamo } = await open(1);
    const conflict =
      action === 'TransactWriteItems'
        ? {
            name: 'TransactionCanceledException',
            body: { CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }] },
          }
        : { name: 'TransactionConflictException' };
    dynamo.fail({ action, when: 'before', times: 2, ...conflict });
    await call(stores);
  });

  it('a transaction that conflicts with others without end is Throttled', async () => {
    const { dynamo, runs } = await open(1);
    const body = { CancellationReasons: [{ Code: 'TransactionConflict' }] };
    dynamo.fail({
      action: 'TransactWriteItems',
      when: 'before',
      name: 'TransactionCanceledException',
      body,
      times: 9,
    });
    await expect(runs.createRun(aRun({ runId: 'new' }))).rejects.toMatchObject({ name: 'Throttled' });
  });

  it('a transaction that the table has no capacity for is Throttled', async () => {
    const { dynamo, runs } = await open(1);
    dynamo.fail({
      action: 'TransactWriteItems',
      when: 'before',
      name: 'TransactionCanceledException',
      body: { CancellationReasons: [{ Code: 'ThrottlingError' }] },
    });
    await expect(runs.createRun(aRun({ runId: 'new' }))).rejects.toMatchObject({ name: 'Throttled' });
  });

  it('a record that is too large is reported as such', async () => {
    const { tenants } = await open(1);
    const datasets = Array.from({ length: 50_000 }, (_, n) => `dataset-${n}`);
    await expect(tenants.put(aTenant({ datasets }), 1)).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
  });
});
