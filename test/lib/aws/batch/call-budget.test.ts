import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createCallBudget, type SharedBucket } from '../../../../lib/aws/batch/call-budget.ts';
import { createTableBucket } from '../../../../lib/aws/batch/table-bucket.ts';
import {
  type BucketRule,
  type FullAt,
  largestChunk,
  nextChunk,
  planTake,
} from '../../../../lib/aws/batch/token-bucket.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';

const rule: BucketRule = { perSecond: 40, burst: 50, reserved: 0.2 };
const dynamo = mockClient(DynamoDBClient);
afterEach(() => dynamo.reset());

/** The one item of a table, with DynamoDB's conditions. */
function aTable() {
  let fullAt: number | undefined;
  let writes = 0;
  const value = (input: UpdateItemCommandInput, name: string) =>
    Number(input.ExpressionAttributeValues?.[name]?.N);
  dynamo.on(UpdateItemCommand).callsFake((input: UpdateItemCommandInput) => {
    writes += 1;
    const fromFull = input.UpdateExpression === 'SET fullAt = :next';
    const holds = fromFull
      ? fullAt === undefined || fullAt < value(input, ':now')
      : fullAt !== undefined && fullAt >= value(input, ':now') && fullAt <= value(input, ':highest');
    if (!holds)
      throw new ConditionalCheckFailedException({
        message: 'no',
        $metadata: {},
        ...(fullAt === undefined ? {} : { Item: { fullAt: { N: String(fullAt) } } }),
      });
    fullAt = fromFull ? value(input, ':next') : (fullAt ?? 0) + value(input, ':cost');
    return { Attributes: { fullAt: { N: String(fullAt) } } };
  });
  return { writes: () => writes };
}

const bucketOf = (clock: VirtualClock) =>
  createTableBucket({
    client: new DynamoDBClient({ region: 'us-west-2' }),
    tableName: 'epsilon-dev',
    name: 'batch',
    rule,
    clock,
  });

const budgetOf = (bucket: SharedBucket, clock: VirtualClock, counted: string[] = []) =>
  createCallBudget({
    api: 'batch',
    bucket,
    clock,
    metrics: { count: (name) => void counted.push(name) },
  });

describe('the arithmetic of a bucket', () => {
  it('a bucket never gives more than its burst and its rate', () => {
    const takes = fc.array(
      fc.record({ wait: fc.nat(2_000), tokens: fc.integer({ min: 1, max: 16 }), urgent: fc.boolean() }),
      { minLength: 1, maxLength: 200 },
    );
    fc.assert(
      fc.property(takes, (all) => {
        let now = 1_000_000;
        let fullAt: FullAt;
        let given = 0;
        const begin = now;
        for (const { wait, tokens, urgent } of all) {
          now += wait;
          const plan = planTake(fullAt, now, { tokens, urgent }, rule);
          if (plan.kind === 'empty') {
            expect(plan.waitMs).toBeGreaterThan(0);
            // After the wait it is enough.
            expect(planTake(fullAt, now + plan.waitMs, { tokens, urgent }, rule).kind).not.toBe('empty');
            continue;
          }
          fullAt = plan.kind === 'from-full' ? now + plan.cost : (fullAt ?? 0) + plan.cost;
          given += tokens;
          expect(given).toBeLessThanOrEqual(rule.burst + ((now - begin) * rule.perSecond) / 1000);
        }
      }),
    );
  });

  it('a bucket leaves a part of its burst to urgent takers', () => {
    const fullAt = 1_000 + 40 * 25;
    expect(planTake(fullAt, 1_000, { tokens: 1, urgent: false }, rule)).toEqual({
      kind: 'empty',
      waitMs: 25,
    });
    expect(planTake(fullAt, 1_000, { tokens: 10, urgent: true }, rule).kind).toBe('from-used');
    expect(planTake(fullAt, 1_000, { tokens: 11, urgent: true }, rule).kind).toBe('empty');
  });

  it('a bucket doubles the chunk of a busy process and starts small again for an idle one', () => {
    expect([2, 4, 8, 16].map((size) => nextChunk(size, true))).toEqual([4, 8, 16, largestChunk]);
    expect(nextChunk(16, false)).toBe(2);
  });
});

describe('a bucket in the table', () => {
  it('a bucket in the table is taken from with one conditional write', async () => {
    aTable();
    const clock = new VirtualClock(5_000);
    const bucket = bucketOf(clock);
    expect(await bucket.take({ tokens: 2, urgent: false })).toEqual({ granted: true });
    expect(await bucket.take({ tokens: 4, urgent: false })).toEqual({ granted: true });
    expect(dynamo.commandCalls(UpdateItemCommand).map((call) => call.args[0].input)).toEqual([
      {
        TableName: 'epsilon-dev',
        Key: { pk: { S: 'BUDGET#batch' }, sk: { S: 'TOKENS' } },
        UpdateExpression: 'SET fullAt = :next',
        ConditionExpression: 'attribute_not_exists(fullAt) OR fullAt < :now',
        ExpressionAttributeValues: { ':next': { N: '5050' }, ':now': { N: '5000' } },
        ReturnValues: 'UPDATED_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
      {
        TableName: 'epsilon-dev',
        Key: { pk: { S: 'BUDGET#batch' }, sk: { S: 'TOKENS' } },
        UpdateExpression: 'SET fullAt = fullAt + :cost',
        ConditionExpression: 'fullAt BETWEEN :now AND :highest',
        ExpressionAttributeValues: {
          ':cost': { N: '100' },
          ':now': { N: '5000' },
          ':highest': { N: '5900' },
        },
        ReturnValues: 'UPDATED_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    ]);
  });

  it('a bucket in the table corrects a wrong belief, and refuses only what the table itself refuses', async () => {
    aTable();
    const clock = new VirtualClock(5_000);
    const [first, second] = [bucketOf(clock), bucketOf(clock)];
    for (let taken = 0; taken < 40; taken += 10) await first.take({ tokens: 10, urgent: false });
    expect(await second.take({ tokens: 1, urgent: false })).toEqual({ granted: false, waitMs: 25 });
    expect(await second.take({ tokens: 1, urgent: true })).toEqual({ granted: true });
    await clock.advance(1_000);
    expect(await second.take({ tokens: 1, urgent: false })).toEqual({ granted: true });
    await clock.advance(10_000);
    expect(await first.take({ tokens: 1, urgent: false })).toEqual({ granted: true });
  });

  it.each([
    ['ThrottlingException', { name: 'Throttled' }],
    ['ProvisionedThroughputExceededException', { name: 'Throttled' }],
    [
      'AccessDeniedException',
      { code: 'AWS_ACCESS_DENIED', details: { action: 'dynamodb:UpdateItem', resource: 'epsilon-dev' } },
    ],
    ['TimeoutError', { name: 'TimeoutError' }],
  ])('a bucket in the table passes %s on', async (name, told) => {
    dynamo.on(UpdateItemCommand).rejects(Object.assign(new Error(name), { name }));
    const taken = bucketOf(new VirtualClock(0)).take({ tokens: 1, urgent: false });
    await expect(taken).rejects.toMatchObject(told);
  });
});

describe('a process’s part of the budget', () => {
  it('a budget costs well under one write per call', async () => {
    const table = aTable();
    const clock = new VirtualClock(0);
    const budget = budgetOf(bucketOf(clock), clock);
    for (let call = 0; call < 200; call += 1) {
      await budget.spend();
      await clock.advance(100);
    }
    expect(table.writes()).toBeLessThan(25);
  });

  it('F19: an empty budget is Throttled for the state machine, and keeps its reserve for calls that observe jobs', async () => {
    aTable();
    const clock = new VirtualClock(0);
    const counted: string[] = [];
    const processes = Array.from({ length: 60 }, () => budgetOf(bucketOf(clock), clock, counted));
    const answers = await Promise.allSettled(processes.map((budget) => budget.spend()));
    const refused = answers.filter(({ status }) => status === 'rejected');
    expect(answers.length - refused.length).toBeLessThanOrEqual(40);
    expect(refused[0]).toMatchObject({ reason: { name: 'Throttled', retryable: true } });
    expect(counted).toHaveLength(refused.length);
    await processes[0]?.spend('urgent');
  });

  it('a budget gives the account no more than its rate, however many processes take', async () => {
    aTable();
    const clock = new VirtualClock(0);
    const processes = Array.from({ length: 20 }, () => budgetOf(bucketOf(clock), clock));
    let calls = 0;
    for (let tick = 0; tick < 150; tick += 1) {
      for (const budget of processes)
        calls += await budget.spend().then(
          () => 1,
          () => 0,
        );
      await clock.advance(100);
    }
    expect(calls).toBeLessThanOrEqual(50 + 15 * rule.perSecond);
    // Nothing to speak of is lost to chunks that expire.
    expect(calls).toBeGreaterThan(15 * rule.perSecond * 0.9);
  });

  it('a budget does not keep tokens that were meant for another minute', async () => {
    const table = aTable();
    const clock = new VirtualClock(0);
    const budget = budgetOf(bucketOf(clock), clock);
    await budget.spend();
    await clock.advance(60_000);
    await budget.spend();
    expect(table.writes()).toBe(2);
  });
});
