import { expect, it } from 'vitest';
import { ssmParameterName, ssmParameters } from '../../../lib/config/ssm-parameters.ts';
import { tableSchema } from '../../dynamodb/table-schema.ts';
import type { Packaged } from '../packaging.ts';
import { at, list, ofType } from '../template.ts';

const key = (name: string, type: 'HASH' | 'RANGE') => ({ AttributeName: name, KeyType: type });

/** What outlives the stack, and what it reads. */
export function checkStores(packaged: () => Packaged): void {
  const template = () => packaged().template;

  it('holds the table as the stores expect it', () => {
    const [[, table] = [], ...others] = ofType(template(), 'AWS::DynamoDB::GlobalTable');
    expect(others).toEqual([]);
    const { partitionKey, sortKey, timeToLive, indexes } = tableSchema;
    expect(table?.Properties).toMatchObject({
      TableName: `epsilon-${packaged().environment}`,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [key(partitionKey, 'HASH'), key(sortKey, 'RANGE')],
      TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      Replicas: [
        [{ Ref: 'AWS::Region' }, 'DataKeyArn'],
        ['us-east-1', 'ReplicaKeyArn'],
      ].map(([where, key]) => ({
        Region: where,
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { KMSMasterKeyId: { Ref: key } },
      })),
      GlobalSecondaryIndexes: indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: [key(index.partitionKey, 'HASH'), key(index.sortKey, 'RANGE')],
        Projection: { ProjectionType: index.projection },
      })),
    });
    const named = [partitionKey, sortKey, ...indexes.flatMap((index) => [index.partitionKey, index.sortKey])];
    expect(list(table?.Properties['AttributeDefinitions'])).toEqual(
      named.map((name) => ({ AttributeName: name, AttributeType: 'S' })),
    );
  });

  it('keeps table, token key, queues and archive when the stack goes', () => {
    for (const type of [
      'AWS::DynamoDB::GlobalTable',
      'AWS::KMS::Key',
      'AWS::SQS::Queue',
      'AWS::Events::Archive',
    ]) {
      const found = ofType(template(), type);
      expect(found.length, type).toBeGreaterThan(0);
      for (const [id, { DeletionPolicy: deleted, UpdateReplacePolicy: replaced }] of found)
        expect([deleted, replaced], id).toEqual(['Retain', 'Retain']);
    }
    for (const [id, { Properties: properties }] of ofType(template(), 'AWS::KMS::Key'))
      expect(properties['EnableKeyRotation'], id).toBe(true);
  });

  it('archives the bus', () => {
    const [[bus] = []] = ofType(template(), 'AWS::Events::EventBus');
    const [[, archive] = []] = ofType(template(), 'AWS::Events::Archive');
    expect(at(archive?.Properties, 'SourceArn', 'Fn::GetAtt', 0)).toBe(bus);
  });

  it('reads only parameters that infrastructure writes', () => {
    const written = new Set(ssmParameters.map(({ name }) => ssmParameterName(packaged().environment, name)));
    const read = Object.values(template().Parameters);
    expect(read.length).toBeGreaterThanOrEqual(11);
    for (const { Type: type, Default: name } of read) {
      expect(type).toBe('AWS::SSM::Parameter::Value<String>');
      expect(written.has(name), name).toBe(true);
    }
  });
}
