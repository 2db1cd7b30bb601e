import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { openTableStores } from '../../../../lib/aws/table/open-stores.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { anAttempt, aRun } from '../../../fixtures/records.ts';
import { sequentialIds } from '../../../fixtures/sequential-ids.ts';

const dynamo = mockClient(DynamoDBDocumentClient);
const TableName = 'epsilon-dev';
const at = (minute: number) => `2026-11-24T02:${String(minute).padStart(2, '0')}:00.000Z`;
const brings = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
const id = (n: number) => String(n).padStart(26, '0');

const open = () =>
  openTableStores({
    client: new DynamoDBClient({ region: 'us-west-2' }),
    tableName: TableName,
    clock: new VirtualClock(Date.parse(at(0))),
    random: () => 1,
    ids: sequentialIds(),
    tokenKeyArn: undefined,
    kms: async () => {
      throw new Error('no token is touched here');
    },
  });

afterEach(() => dynamo.reset());

const inputs = () => dynamo.calls().map((call) => (call.args[0] as { input: unknown }).input);

describe('each request to DynamoDB, exactly', () => {
  it('a read is by key and consistent', async () => {
    dynamo.on(GetCommand).resolves({});
    expect(await open().runs.getRun('r')).toBeUndefined();
    expect(inputs()).toEqual([{ TableName, Key: { pk: 'RUN#r', sk: 'META' }, ConsistentRead: true }]);
  });

  it('a run with its attempts is read by one query of its partition', async () => {
    dynamo.on(QueryCommand).resolves({ Items: [] });
    await open().runs.getRunWithAttempts('r');
    expect(inputs()).toEqual([
      {
        TableName,
        KeyConditionExpression: '#a0 = :v0',
        ConsistentRead: true,
        ExpressionAttributeNames: { '#a0': 'pk' },
        ExpressionAttributeValues: { ':v0': 'RUN#r' },
      },
    ]);
  });

  it('a list follows every page and reads again what a batch left out', async () => {
    dynamo
      .on(QueryCommand)
      .resolvesOnce({ Items: [{ pk: 'TENANTS', sk: 'a' }], LastEvaluatedKey: { pk: 'TENANTS', sk: 'a' } })
      .resolvesOnce({ Items: [{ pk: 'TENANTS', sk: 'b' }] });
    const record = (tenantId: string) => ({
      pk: `TENANT#${tenantId}`,
      sk: 'META',
      tenantId,
      version: 1,
      capacity: '{}',
      resources: '{}',
      limits: '{}',
      datasets: '[]',
      promotion: '{}',
    });
    const keyOf = (tenantId: string) => ({ pk: `TENANT#${tenantId}`, sk: 'META' });
    dynamo
      .on(BatchGetCommand)
      .resolvesOnce({
        Responses: { [TableName]: [record('b')] },
        UnprocessedKeys: { [TableName]: { Keys: [keyOf('a')] } },
      })
      .resolvesOnce({ Responses: { [TableName]: [record('a')] } });
    const clock = new VirtualClock(0);
    const stores = openTableStores({
      client: new DynamoDBClient({ region: 'us-west-2' }),
      tableName: TableName,
      clock,
      random: () => 1,
      ids: sequentialIds(),
      tokenKeyArn: undefined,
      kms: async () => {
        throw new Error('no token is touched here');
      },
    });
    const listed = stores.tenants.list();
    for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
    await clock.advance(1_000);
    expect((await listed).map(({ tenantId }) => tenantId)).toEqual(['a', 'b']);
    expect(inputs().slice(1)).toEqual([
      expect.objectContaining({ ExclusiveStartKey: { pk: 'TENANTS', sk: 'a' } }),
      { RequestItems: { [TableName]: { Keys: [keyOf('a'), keyOf('b')], ConsistentRead: true } } },
      { RequestItems: { [TableName]: { Keys: [keyOf('a')], ConsistentRead: true } } },
    ]);
  });

  it('F29: a lease is compared with its expiry inside the condition of the write', async () => {
    dynamo
      .on(UpdateCommand)
      .resolves({ Attributes: { tenantId: 'acme', holder: 'r', fence: 4, expiresAt: at(15) } });
    await open().leases.acquire({ tenantId: 'acme', holder: 'r', now: at(0), expiresAt: at(15) });
    expect(inputs()).toEqual([
      {
        TableName,
        Key: { pk: 'TENANT#acme', sk: 'LEASE' },
        UpdateExpression:
          'SET #a0 = :v0, #a1 = :v1, #a2 = :v2, #a3 = :v3, #a4 = :v4, #a5 = if_not_exists(#a5, :v5) + :v6, #a6 = :v7',
        ConditionExpression:
          '(attribute_not_exists(#a7) OR #a4 = :v8 OR (#a1 = :v9 AND #a3 <= :v10) OR #a2 <= :v11)',
        ReturnValues: 'ALL_NEW',
        ...brings,
        ExpressionAttributeNames: {
          '#a0': 'tenantId',
          '#a1': 'holder',
          '#a2': 'expiresAt',
          '#a3': 'redriveCount',
          '#a4': 'held',
          '#a5': 'fence',
          '#a6': 'writeId',
          '#a7': 'pk',
        },
        ExpressionAttributeValues: {
          ':v0': 'acme',
          ':v1': 'r',
          ':v2': at(15),
          ':v3': 0,
          ':v4': true,
          ':v5': 0,
          ':v6': 1,
          ':v7': id(1),
          ':v8': false,
          ':v9': 'r',
          ':v10': 0,
          ':v11': at(0),
        },
      },
    ]);
  });

  it('an attempt of a job that looks at data, which belongs to no run, goes by itself 90 days later', async () => {
    dynamo.on(TransactWriteCommand).resolves({});
    const { taskToken: _, ...attempt } = anAttempt({ runId: 'quality-1', stage: 'profile' });
    await open().runs.createAttempt(attempt);
    const ttl = Math.floor(Date.parse(attempt.intentAt) / 1000) + 90 * 86_400;
    expect(inputs()).toMatchObject([{ TransactItems: [{ Put: { Item: { runId: 'quality-1', ttl } } }] }]);
  });

  it('an attempt, the check of the one before it, and the lease are written by one transaction', async () => {
    dynamo.on(TransactWriteCommand).resolves({});
    const { taskToken: _, ...attempt } = anAttempt({ runId: 'r', attempt: 2 });
    const lease = { tenantId: 'acme', holder: 'r', fence: 3, expiresAt: at(15) };
    await open().runs.createAttempt(attempt, { lease });
    const terminal = ['succeeded', 'failed', 'rejected', 'preempted', 'lost', 'cancelled'];
    expect(inputs()).toEqual([
      {
        ClientRequestToken: id(2),
        TransactItems: [
          {
            Put: {
              TableName,
              Item: {
                ...attempt,
                pk: 'RUN#r',
                sk: 'STAGE#train#ATTEMPT#000002',
                writeId: id(1),
                openPart: 'ATTEMPT#4',
                openOrder: '4543#r#train#2',
              },
              ConditionExpression: 'attribute_not_exists(#a0)',
              ...brings,
              ExpressionAttributeNames: { '#a0': 'pk' },
            },
          },
          {
            ConditionCheck: {
              TableName,
              Key: { pk: 'RUN#r', sk: 'STAGE#train#ATTEMPT#000001' },
              ConditionExpression: '#a0 IN (:v0, :v1, :v2, :v3, :v4, :v5)',
              ...brings,
              ExpressionAttributeNames: { '#a0': 'status' },
              ExpressionAttributeValues: Object.fromEntries(terminal.map((status, n) => [`:v${n}`, status])),
            },
          },
          {
            Update: {
              TableName,
              Key: { pk: 'TENANT#acme', sk: 'LEASE' },
              UpdateExpression: 'SET #a3 = :v3, #a4 = :v4',
              ConditionExpression: '(#a0 = :v0 AND #a1 = :v1) AND #a2 = :v2',
              ...brings,
              ExpressionAttributeNames: {
                '#a0': 'holder',
                '#a1': 'fence',
                '#a2': 'held',
                '#a3': 'expiresAt',
                '#a4': 'writeId',
              },
              ExpressionAttributeValues: {
                ':v0': 'r',
                ':v1': 3,
                ':v2': true,
                ':v3': at(15),
                ':v4': id(1),
              },
            },
          },
        ],
      },
    ]);
  });

  it('a created run is listed under its tenant, its date and its night', async () => {
    dynamo.on(TransactWriteCommand).resolves({});
    await open().runs.createRun(aRun({ runId: 'r', nightArn: 'arn:night', startedAt: at(1) }));
    const [{ TransactItems: parts }] = inputs() as [
      { TransactItems: { Put: { Item: { pk: string; sk: string } } }[] },
    ];
    expect(
      parts.map(
        ({
          Put: {
            Item: { pk, sk },
          },
        }) => [pk, sk],
      ),
    ).toEqual([
      ['RUN#r', 'META'],
      ['TENANT#acme', `RUN#${at(1)}#r`],
      ['DATE#2026-11-24', `${at(1)}#r`],
      ['NIGHT#arn:night', `${at(1)}#r`],
    ]);
  });

  it('claims are kept for 90 days; claims and locks are conditional writes', async () => {
    dynamo.on(PutCommand).resolves({}).on(DeleteCommand).resolves({});
    const { claims, locks } = open();
    await claims.claim({ machine: 'm', scheduledTime: at(0), holder: 'r', now: at(0) });
    await locks.tryLock({ name: 'reconcile/3', holder: 'r', now: at(0), expiresAt: at(1) });
    await locks.unlock({ name: 'reconcile/3', holder: 'r' });
    const seconds = (minute: number) => Date.parse(at(minute)) / 1000;
    expect(inputs()).toEqual([
      {
        TableName,
        Item: {
          pk: 'CLAIM#m',
          sk: at(0),
          holder: 'r',
          claimedAt: at(0),
          writeId: id(1),
          ttl: seconds(0) + 90 * 86_400,
        },
        ConditionExpression: '(attribute_not_exists(#a0) OR #a1 = :v0)',
        ...brings,
        ExpressionAttributeNames: { '#a0': 'pk', '#a1': 'holder' },
        ExpressionAttributeValues: { ':v0': 'r' },
      },
      {
        TableName,
        Item: {
          pk: 'LOCK#reconcile/3',
          sk: 'LOCK',
          holder: 'r',
          expiresAt: at(1),
          writeId: id(2),
          ttl: seconds(1) + 86_400,
        },
        ConditionExpression: '(attribute_not_exists(#a0) OR #a1 = :v0 OR #a2 <= :v1)',
        ...brings,
        ExpressionAttributeNames: { '#a0': 'pk', '#a1': 'holder', '#a2': 'expiresAt' },
        ExpressionAttributeValues: { ':v0': 'r', ':v1': at(0) },
      },
      {
        TableName,
        Key: { pk: 'LOCK#reconcile/3', sk: 'LOCK' },
        ConditionExpression: '#a0 = :v0',
        ...brings,
        ExpressionAttributeNames: { '#a0': 'holder' },
        ExpressionAttributeValues: { ':v0': 'r' },
      },
    ]);
  });

  it("a shard's range of parts is read from the index, and then the named items consistently", async () => {
    dynamo.on(QueryCommand).resolves({ Items: [] });
    await open().runs.listOpenAttempts({ shard: 15, shards: 16 });
    expect(inputs()).toEqual([
      {
        TableName,
        IndexName: 'openWork',
        KeyConditionExpression: '#a0 = :v0 AND #a1 BETWEEN :v1 AND :v2',
        ExpressionAttributeNames: { '#a0': 'openPart', '#a1': 'openOrder' },
        ExpressionAttributeValues: { ':v0': 'ATTEMPT#f', ':v1': 'f000', ':v2': 'ffff~' },
      },
    ]);
  });
});
