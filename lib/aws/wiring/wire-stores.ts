import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { openTableStores } from '../table/open-stores.ts';
import { kmsKeyService } from '../table/token-keys.ts';
import type { AwsBase } from './base.ts';

/** Tenants, runs, leases, claims, locks, models, verdicts, records of images and releases in DynamoDB. */
export const wireStores = ({ clients, deployment, clock, random, ids }: AwsBase) => {
  const { tableName, tokenKeyArn } = deployment;
  return openTableStores({
    client: clients.of(DynamoDBClient),
    tableName,
    clock,
    random,
    ids,
    tokenKeyArn,
    // With the first token: functions that touch none neither load nor need the key.
    kms: async () => {
      const { KMSClient } = await import('../lazy/kms.ts');
      return kmsKeyService(clients.of(KMSClient), tokenKeyArn ?? '');
    },
  });
};
