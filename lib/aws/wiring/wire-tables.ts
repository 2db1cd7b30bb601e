import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Tables } from '../../ports/backup/table-service.ts';
import { openTableRecords } from '../table/restored-records.ts';
import { dynamoTableService } from '../table/table-service.ts';
import type { AwsBase } from './base.ts';
import type { Clients } from './clients.ts';
import { recoveryPlace } from './recovery-place.ts';

/** The table in both regions; none where the settings say that nothing is backed up. */
export const wireTables = (base: AwsBase): { readonly tables: Tables | undefined } => {
  const place = recoveryPlace(base);
  if (!place) return { tables: undefined };
  const { clients, config, deployment, clock, random, ids } = base;
  const service = (of: Clients) => {
    const client = of.of(DynamoDBClient);
    return dynamoTableService(client, of.region, (tableName) =>
      openTableRecords({ client, tableName, clock, random, ids }),
    );
  };
  return {
    tables: {
      name: deployment.homeTableName ?? deployment.tableName,
      home: service(clients.in(config.region)),
      there: service(clients.in(place.settings.region)),
    },
  };
};
