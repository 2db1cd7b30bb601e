import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { createRedisCacheStore } from '../../lib/aws/elasticache/redis-cache-store.ts';
import { createS3ObjectStore } from '../../lib/aws/s3/s3-object-store.ts';
import { tableModelRegistry } from '../../lib/aws/table/model-registry.ts';
import { Table } from '../../lib/aws/table/table.ts';
import { tableTenantStore } from '../../lib/aws/table/tenant-store.ts';
import { createClients } from '../../lib/aws/wiring/clients.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { CacheStore } from '../../lib/ports/serving/cache-store.ts';
import { SystemClock } from '../../lib/system/system-clock.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import type { ServedModels } from './served-models.ts';

type Variables = Readonly<Record<string, string | undefined>>;

function required(variables: Variables, name: string): string {
  const value = variables[name];
  if (value) return value;
  throw new EpsilonError('VARIABLE_MISSING', `${name} is not set.`);
}

/**
 * The cache whose address and token external-secrets has put into a folder. Both are read for each connection: a token that is rotated needs no
 * new pod, and a cache that is not there yet is one without an entry.
 */
function cacheIn(folder: string): Pick<CacheStore, 'read'> {
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
  return {
    read: async (target, id) => {
      if (!existsSync(join(folder, 'token'))) return undefined;
      const store = createRedisCacheStore({ url: read('url'), token: async () => read('token') });
      return store.read(target, id);
    },
  };
}

/** Live models of a deployed control plane: `AWS_REGION`, `TABLE` (the control table), and `CACHE_SECRET` (a folder) where there is a cache. */
export function modelsOnAws(variables: Variables): ServedModels {
  const clients = createClients({ region: required(variables, 'AWS_REGION') });
  const clock = new SystemClock();
  const table = new Table({
    client: clients.of(DynamoDBClient),
    tableName: required(variables, 'TABLE'),
    clock,
    random: Math.random,
    ids: systemIds(clock),
  });
  const folder = variables['CACHE_SECRET'];
  return {
    models: tableModelRegistry(table),
    tenants: tableTenantStore(table),
    objects: createS3ObjectStore({ client: clients.of(S3Client) }),
    ...(folder !== undefined && { cache: cacheIn(folder) }),
  };
}
