import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Place, type ReadService, servicePlaced } from '../../infra/serverless/plugin/place.ts';
import { consumers } from '../../lib/backup/cloud/consumers.ts';
import { importPlan } from '../../lib/backup/cloud/import-plan.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';

describe('the service where a restored state goes on (place=there)', () => {
  const standby = readYaml('infra/serverless/places/standby.yml') as Place;
  const place: Place = {
    ...standby,
    serving: {
      bucket: 'data',
      tables: 'epsilon-prod-restore-*',
      environment: { EPSILON_DATA_BUCKET: 'data-replica' },
    },
  };
  const read: ReadService = {
    functions: { beginRun: {}, openRestore: {} },
    machines: {},
    statements: {
      beginRun: [
        { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: { 'Fn::GetAtt': ['ControlTable', 'Arn'] } },
        {
          Effect: 'Allow',
          Action: 'dynamodb:Query',
          Resource: { 'Fn::Sub': '${ControlTable.Arn}/index/openWork' },
        },
        {
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::data/nights/*' },
        },
        {
          Effect: 'Allow',
          Action: 's3:ListBucket',
          Resource: { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::data' },
        },
      ],
      openRestore: [
        { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: { 'Fn::GetAtt': ['ControlTable', 'Arn'] } },
      ],
    },
    resources: {
      NightlyTrainingSchedule: { Type: 'AWS::Scheduler::Schedule', Properties: { State: 'ENABLED' } },
      RestoreDrillSchedule: { Type: 'AWS::Scheduler::Schedule', Properties: { State: 'ENABLED' } },
    },
    environment: {},
  };
  const made = servicePlaced(read, place);

  it('works on restored tables and the replica, and may say so', () => {
    const [get, query, object, bucket, ...report] = made.statements['beginRun'] ?? [];
    const table =
      'arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/epsilon-prod-restore-*';
    expect(get?.['Resource']).toEqual({ 'Fn::Sub': table });
    expect(query?.['Resource']).toEqual({ 'Fn::Sub': `${table}/index/openWork` });
    expect(object?.['Resource']).toEqual({ 'Fn::Sub': 'arn:${AWS::Partition}:s3:::data-replica/nights/*' });
    expect(bucket?.['Resource']).toEqual({ 'Fn::Sub': 'arn:${AWS::Partition}:s3:::data-replica' });
    expect(report.map(({ Action: action }) => action)).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      's3:PutObject',
      'kms:GenerateDataKey',
    ]);
    expect(made.functions['beginRun']?.['environment']).toEqual({ EPSILON_DATA_BUCKET: 'data-replica' });
  });

  it('leaves what restores on its own table, and every other schedule off', () => {
    expect(made.statements['openRestore']).toEqual(read.statements['openRestore']);
    expect(made.functions['openRestore']?.['environment']).toEqual(place.environment);
    const states = Object.entries(made.resources).map(
      ([
        id,
        {
          Properties: { State: state },
        },
      ]) => [id, state],
    );
    expect(states).toEqual([
      ['NightlyTrainingSchedule', 'DISABLED'],
      ['RestoreDrillSchedule', 'ENABLED'],
    ]);
  });

  it('keeps a restored table declared as its own is, which an import then finds unchanged', () => {
    const ControlTable = {
      Type: 'AWS::DynamoDB::GlobalTable',
      DeletionPolicy: 'Retain',
      Properties: { TableName: 'epsilon-prod-recovery', BillingMode: 'PAY_PER_REQUEST' },
    };
    const restoredTable = 'epsilon-prod-restore-1';
    for (const where of [standby, place]) {
      const { resources } = servicePlaced(
        { ...read, resources: { ControlTable } },
        { ...where, restoredTable },
      );
      expect(resources['RestoredTable']).toEqual({
        ...ControlTable,
        Properties: { ...ControlTable.Properties, TableName: restoredTable },
      });
    }
    const target = { region: 'us-east-1', database: 'db-restore-1', table: restoredTable, bucket: 'b' };
    const plan = importPlan('prod', target);
    const [, named] = /--resources-to-import '([^']+)'/.exec(plan.join('\n')) ?? [];
    expect(JSON.parse(named ?? '')).toEqual([
      {
        ResourceType: ControlTable.Type,
        LogicalResourceId: 'RestoredTable',
        ResourceIdentifier: { TableName: restoredTable },
      },
    ]);
    expect(plan[0]).toContain('restoredDatabase: db-restore-1');
    expect(plan.at(-1)).toContain(`--param place=there --param table=${restoredTable}`);
  });

  it('is waited for by every function that works on the records', () => {
    const functions = parse(readFileSync('infra/serverless/functions.yml', 'utf8')) as Record<
      string,
      { handler: string }
    >;
    const working = Object.entries(functions).flatMap(([key, { handler }]) => {
      const source = readFileSync(handler.replace(/\.handler$/, '.ts'), 'utf8');
      const training = handler.startsWith('functions/training/');
      return training && source.includes('awsStores') ? [key] : [];
    });
    expect([...consumers].sort()).toEqual(working.sort());
  });
});
