import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../ports/clock.ts';
import { explainServiceError } from '../errors/service-errors.ts';
import { budgetKey } from '../table/keys.ts';
import type { Grant, SharedBucket } from './call-budget.ts';
import { type BucketRule, type FullAt, planTake, type TakePlan, type Wanted } from './token-bucket.ts';

/** Writes a take may need when others take at the same time: the belief is wrong at most once per turn of the bucket. */
const mostWrites = 4;

/** What a bucket in the table is made of. */
export interface TableBucketOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Item `BUDGET#<name> / TOKENS`. */
  readonly name: string;
  readonly rule: BucketRule;
  readonly clock: Clock;
}

type Write = Exclude<TakePlan, { kind: 'empty' }>;

const number = (value: number) => ({ N: String(value) });

/** Update and condition of a planned take: the table adds, so two processes never take the same token. */
function expressionOf(plan: Write) {
  const { now, cost } = plan;
  return plan.kind === 'from-full'
    ? {
        UpdateExpression: 'SET fullAt = :next',
        ConditionExpression: 'attribute_not_exists(fullAt) OR fullAt < :now',
        ExpressionAttributeValues: { ':next': number(now + cost), ':now': number(now) },
      }
    : {
        UpdateExpression: 'SET fullAt = fullAt + :cost',
        ConditionExpression: 'fullAt BETWEEN :now AND :highest',
        ExpressionAttributeValues: {
          ':cost': number(cost),
          ':now': number(now),
          ':highest': number(plan.highest),
        },
      };
}

/** A token bucket in the table: one conditional write per take. */
export function createTableBucket({
  client,
  tableName,
  name,
  rule,
  clock,
}: TableBucketOptions): SharedBucket {
  const key = budgetKey(name);
  /** What this process saw last: only a first guess, the condition decides. */
  let seen: FullAt;

  const fullAtOf = (item: Readonly<Record<string, { N?: string | undefined }>> | undefined): FullAt => {
    const value = Number(item?.['fullAt']?.N);
    return Number.isFinite(value) ? value : undefined;
  };

  /** True when the write was made; otherwise `seen` is the truth of a moment ago. */
  async function write(plan: Write): Promise<boolean> {
    try {
      const { Attributes } = await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { pk: { S: key.pk }, sk: { S: key.sk } },
          ...expressionOf(plan),
          ReturnValues: 'UPDATED_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      seen = fullAtOf(Attributes as Record<string, { N?: string }> | undefined);
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException))
        throw explainServiceError(error, 'dynamodb:UpdateItem', tableName);
      seen = fullAtOf(error.Item as Record<string, { N?: string }> | undefined);
      return false;
    }
  }

  return {
    take: async (wanted: Wanted): Promise<Grant> => {
      for (let writes = 0; writes < mostWrites; writes += 1) {
        const plan = planTake(seen, clock.now(), wanted, rule);
        if (plan.kind !== 'empty') {
          if (await write(plan)) return { granted: true };
          continue;
        }
        // A belief of this process alone refuses nobody: the table may have been reset, or its clock runs ahead.
        if (writes > 0) return { granted: false, waitMs: plan.waitMs };
        seen = clock.now();
      }
      return { granted: false, waitMs: Math.ceil(1000 / rule.perSecond) };
    },
  };
}
