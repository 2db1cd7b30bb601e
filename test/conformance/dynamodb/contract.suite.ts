import {
  CreateTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { openTableAuditLog, openTableStores, type TableStores } from '../../../lib/aws/table/open-stores.ts';
import { tableRetirement } from '../../../lib/aws/table/retirement.ts';
import { Table } from '../../../lib/aws/table/table.ts';
import { kmsKeyService } from '../../../lib/aws/table/token-keys.ts';
import { SystemClock } from '../../../lib/system/system-clock.ts';
import { systemIds } from '../../../lib/system/system-ids.ts';
import { describeAuditLog } from '../../contract/audit-log.ts';
import { recoveryRecordsContract } from '../../contract/recovery-records.ts';
import { describeReleaseRecords } from '../../contract/release-records.ts';
import { retirementContract } from '../../contract/retirement.ts';
import { describeRunStore } from '../../contract/run-store.ts';
import { describeTenantStores } from '../../contract/tenant-stores.ts';
import { MemoryKeys } from '../../dynamodb/memory-stores.ts';
import { tableSchema } from '../../dynamodb/table-schema.ts';
import { anAttempt } from '../../fixtures/records.ts';

const endpoint = process.env['EPSILON_EMULATOR_ENDPOINT'] ?? '';
const name = process.env['EPSILON_EMULATOR_NAME'] ?? '';
const place = { region: 'us-west-2', endpoint };
const clock = new SystemClock();
const client = new DynamoDBClient(place);
let tables = 0;

const keySchema = (keys: { partitionKey: string; sortKey: string }): KeySchemaElement[] => [
  { AttributeName: keys.partitionKey, KeyType: 'HASH' },
  { AttributeName: keys.sortKey, KeyType: 'RANGE' },
];

/** A table of its own, made from the schema that CloudFormation is compared with. */
async function makeTable(): Promise<string> {
  tables += 1;
  const TableName = `epsilon-${process.pid}-${tables}`;
  const { partitionKey, sortKey, indexes, timeToLive } = tableSchema;
  const attributes = [
    partitionKey,
    sortKey,
    ...indexes.flatMap((index) => [index.partitionKey, index.sortKey]),
  ];
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: attributes.map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S' as const,
      })),
      KeySchema: keySchema(tableSchema),
      GlobalSecondaryIndexes: indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index),
        Projection: { ProjectionType: index.projection },
      })),
    }),
  );
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName,
      TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
    }),
  );
  return TableName;
}

async function open(over: Partial<Parameters<typeof openTableStores>[0]> = {}): Promise<TableStores> {
  const keys = new MemoryKeys();
  return openTableStores({
    client,
    tableName: await makeTable(),
    clock,
    random: Math.random,
    ids: systemIds(clock),
    tokenKeyArn: 'arn:aws:kms:us-west-2:000000000000:key/tokens',
    kms: async () => keys,
    ...over,
  });
}

describeRunStore(name, () => open());
describeTenantStores(name, () => open());

recoveryRecordsContract(name, async () => (await open()).recoveryRecords);
retirementContract(name, async () => {
  const tableName = await makeTable();
  const table = new Table({ client, tableName, clock, random: Math.random, ids: systemIds(clock) });
  return { ...(await open({ tableName })), retirement: tableRetirement(table) };
});
describeReleaseRecords(name, async () => (await open()).releases);
describeAuditLog(name, async () => ({
  audit: openTableAuditLog({
    client,
    tableName: await makeTable(),
    clock,
    random: Math.random,
    ids: systemIds(clock),
  }),
}));

it(`task tokens go through the KMS of ${name}, and another process reads them`, async () => {
  const kms = new KMSClient(place);
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const tokenKeyArn = KeyMetadata?.Arn ?? '';
  const tableName = await makeTable();
  const process = () => open({ tableName, tokenKeyArn, kms: () => kmsKeyService(kms, tokenKeyArn) });
  await (await process()).runs.createAttempt(anAttempt());
  expect(await (await process()).runs.getAttempt(anAttempt())).toMatchObject({ taskToken: 'token-1' });
});
