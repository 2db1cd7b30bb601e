/** What a heartbeat in PostgreSQL takes, loaded with the first one. */
export { Signer } from '@aws-sdk/rds-signer';
export { Client as PostgresClient } from 'pg';
