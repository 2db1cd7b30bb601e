import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Tables } from '../../ports/backup/table-service.ts';
import { dynamoTableService } from '../table/table-service.ts';
import type { AwsBase } from './base.ts';
import { recoveryPlace } from './recovery-place.ts';

/** The table in both regions; none where the settings say that nothing is backed up. */
export const wireTables = (base: AwsBase): { readonly tables: Tables | undefined } => {
  const place = recoveryPlace(base);
  if (!place) return { tables: undefined };
  const { clients, config, deployment } = base;
  const { region } = place.settings;
  return {
    tables: {
      name: deployment.tableName,
      home: dynamoTableService(clients.of(DynamoDBClient), config.region),
      there: dynamoTableService(clients.in(region).of(DynamoDBClient), region),
    },
  };
};
