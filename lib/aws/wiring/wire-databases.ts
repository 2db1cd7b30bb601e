import { RDSClient } from '@aws-sdk/client-rds';
import type { Databases } from '../../ports/backup/database-service.ts';
import { rdsDatabaseService } from '../rds/rds-database-service.ts';
import type { AwsBase } from './base.ts';
import { recoveryPlace } from './recovery-place.ts';

/** The database in both regions; none where the settings say that nothing is backed up. */
export const wireDatabases = (base: AwsBase): { readonly databases: Databases | undefined } => {
  const place = recoveryPlace(base);
  if (!place) return { databases: undefined };
  const { clients, config } = base;
  const { region } = place.settings;
  return {
    databases: {
      id: place.databaseId,
      home: rdsDatabaseService(clients.in(config.region).of(RDSClient), config.region),
      there: rdsDatabaseService(clients.in(region).of(RDSClient), region),
      keyArn: place.replicaKeyArn,
      landing: place.landing,
    },
  };
};
