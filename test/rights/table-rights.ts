import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { functionIds } from '../../lib/config/logical-ids.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import type { RecordedCall } from '../dynamodb/memory-dynamodb.ts';
import { at, idIn, type Json, list, statementsOf } from '../service/template.ts';

/** One use of one partition: an action, and the partition of the table or of its index. */
export interface TableUse {
  readonly action: string;
  readonly place: 'table' | 'index';
  readonly partition: string;
}

const textOf = (value: unknown) => String((value as { S?: string } | undefined)?.S ?? '');

type Input = Readonly<Record<string, unknown>>;
type Part = { readonly Key?: { readonly pk: unknown }; readonly Item?: { readonly pk: unknown } };

/** Partition a Query asks for: the value that its first comparison names. */
function queried(input: Input): string {
  const [, value = ''] = /=\s*(:\w+)/.exec(String(input['KeyConditionExpression'])) ?? [];
  return textOf((input['ExpressionAttributeValues'] as Record<string, unknown>)[value]);
}

/** What one call needs rights for; a transaction needs those of its parts. */
export function usesOf({ action, input }: RecordedCall): TableUse[] {
  const use = (name: string, { Key: key, Item: item }: Part): TableUse => ({
    action: `dynamodb:${name}`,
    place: 'table',
    partition: textOf((key ?? item)?.pk),
  });
  if (action === 'Query') {
    const place = input['IndexName'] === undefined ? 'table' : 'index';
    return [{ action: 'dynamodb:Query', place, partition: queried(input) }];
  }
  if (action === 'BatchGetItem') {
    const tables = Object.values(input['RequestItems'] as Record<string, { Keys: { pk: unknown }[] }>);
    return tables.flatMap(({ Keys: keys }) => keys.map((Key) => use('BatchGetItem', { Key })));
  }
  if (action === 'TransactWriteItems') {
    return (input['TransactItems'] as Record<string, Part>[]).flatMap((parts) =>
      Object.entries(parts).map(([kind, part]) =>
        use(kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`, part),
      ),
    );
  }
  return [use(action, input as Part)];
}

/** A right of a role on the table: these actions, on partitions that begin so. */
export interface TableRight extends TableUse {
  readonly role: string;
}

function rightsIn(role: string, statements: Json): TableRight[] {
  return statementsOf({ Statement: statements }).flatMap(({ actions, resources, condition }) => {
    const place = resources.some((one) => JSON.stringify(one).includes('/index/')) ? 'index' : 'table';
    const ours = place === 'index' || resources.some((one) => idIn(one) === 'ControlTable');
    if (!ours) return [];
    return list(at(condition, 'ForAllValues:StringLike', 'dynamodb:LeadingKeys')).flatMap((partition) =>
      actions.map((action) => ({ role, action, place, partition: String(partition) }) as const),
    );
  });
}

/** Statements of every function and machine, as the files of infra/serverless/roles grant them, by its key. */
export function declaredStatements(): Readonly<Record<string, Json>> {
  const folder = 'infra/serverless/roles';
  const files = readdirSync(folder).map((name) => readYaml(join(folder, name)) as Record<string, Json>);
  return Object.assign({}, ...files) as Record<string, Json>;
}

/** Rights on the table of every role; what all roles have is not about the table. */
export function tableRights(): TableRight[] {
  return Object.entries(declaredStatements()).flatMap(([key, statements]) =>
    rightsIn(functionIds(key).role, statements),
  );
}

/** Whether a right covers a use; `*` stands for any ending. */
export function covers(right: TableRight, use: TableUse): boolean {
  if (right.action !== use.action || right.place !== use.place) return false;
  const { partition } = right;
  return partition.endsWith('*')
    ? use.partition.startsWith(partition.slice(0, -1))
    : use.partition === partition;
}
