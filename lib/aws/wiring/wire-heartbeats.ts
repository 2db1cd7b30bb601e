import { readFile } from 'node:fs/promises';
import { RDSClient } from '@aws-sdk/client-rds';
import { heartbeatDatabase } from '../../backup/cloud/heartbeat.ts';
import type { DatabaseEndpoint, DatabaseHeartbeats } from '../../ports/backup/heartbeats.ts';
import { postgresHeartbeat } from '../rds/postgres-heartbeat.ts';
import type { AwsBase } from './base.ts';

/** Lambda brings the authorities of RDS along; Node of this version does not look there by itself. */
const authorities = '/var/runtime/ca-cert.pem';

/** Heartbeats in databases: IAM vouches for the user, and the server's certificate is checked. */
export const wireHeartbeats = ({
  clients,
  config,
  deployment,
}: AwsBase): { readonly databaseHeartbeats: DatabaseHeartbeats | undefined } => {
  const { recovery } = config;
  if (recovery.mode === 'off') return { databaseHeartbeats: undefined };
  const at = ({ host, port }: DatabaseEndpoint, region: string) => {
    const { name, user } = heartbeatDatabase;
    const password = async () => {
      const { Signer } = await import('../lazy/postgres.ts');
      const { credentials } = clients.of(RDSClient).config;
      return new Signer({ hostname: host, port, username: user, region, credentials }).getAuthToken();
    };
    return postgresHeartbeat(
      { host, port, database: name, user, password, tls: undefined },
      async (settings) => {
        const { PostgresClient } = await import('../lazy/postgres.ts');
        const ca = await readFile(authorities, 'utf8');
        return new PostgresClient({ ...settings, ssl: { ca, rejectUnauthorized: true, servername: host } });
      },
    );
  };
  const [host = '', port = '5432'] = deployment.databaseEndpoint?.split(':') ?? [];
  return {
    databaseHeartbeats: {
      ...(host === '' ? {} : { live: at({ host, port: Number(port) }, config.region) }),
      ...(deployment.restoreNetwork === 'on'
        ? { restored: (endpoint: DatabaseEndpoint) => at(endpoint, recovery.region) }
        : {}),
    },
  };
};
