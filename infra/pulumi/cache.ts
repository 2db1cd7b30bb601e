import { LogGroup } from '@pulumi/aws/cloudwatch/logGroup.js';
import { ReplicationGroup } from '@pulumi/aws/elasticache/replicationGroup.js';
import { SubnetGroup } from '@pulumi/aws/elasticache/subnetGroup.js';
import type { Key } from '@pulumi/aws/kms/key.js';
import { getRandomPasswordOutput } from '@pulumi/aws/secretsmanager/getRandomPassword.js';
import { Secret } from '@pulumi/aws/secretsmanager/secret.js';
import { SecretVersion } from '@pulumi/aws/secretsmanager/secretVersion.js';
import { secret } from '@pulumi/pulumi';
import { groupFor } from './endpoints.ts';
import type { Keys } from './keys.ts';
import type { Network } from './network.ts';
import type { Site } from './site.ts';

/** The cache and the secret that holds its token. */
export interface Cache {
  readonly group: ReplicationGroup;
  readonly token: Secret;
}

function createToken(
  site: Site,
  id: string,
  { key, opts }: { readonly key: Key; readonly opts: Site['here'] },
) {
  const token = new Secret(
    id,
    {
      name: `epsilon/${site.config.environment}/redis`,
      description: 'token of the cache',
      kmsKeyId: key.arn,
      recoveryWindowInDays: 7,
    },
    opts,
  );
  const random = getRandomPasswordOutput(
    { passwordLength: 64, excludePunctuation: true },
    opts.provider ? { provider: opts.provider } : {},
  );
  const value = new SecretVersion(
    id,
    { secretId: token.id, secretString: secret(random.randomPassword) },
    // A new random value comes with every run; only the first is kept. Replace this resource to change the token.
    { ...opts, ignoreChanges: ['secretString'], additionalSecretOutputs: ['secretString'] },
  );
  return { token, value };
}

/**
 * Makes the token of a cache in the other region: another one, so that a leak at home opens nothing there. Nothing is replicated: the cache
 * is filled of the live models (lib/aws/table/move-records.ts).
 */
export function createStandbyToken(site: Site, keys: Keys): void {
  createToken(site, `embeddings-cache${site.config.nameSuffix}-there`, {
    key: keys.replica,
    opts: site.there,
  });
}

/** Creates Redis 7: encrypted at rest and in transit, token required, reached only from inside the VPC. */
export function createCache(site: Site, network: Network, keys: Keys): Cache {
  const { cache, environment, nameSuffix } = site.config;
  const id = `embeddings-cache${nameSuffix}`;
  const { token, value } = createToken(site, id, { key: keys.data, opts: site.here });
  const subnets = new SubnetGroup(id, { name: id, subnetIds: network.privateSubnetIds }, site.here);
  const slow = new LogGroup(
    site.name('redis-slow'),
    { name: `/epsilon/${environment}/redis-slow`, retentionInDays: 365, kmsKeyId: keys.logs.arn },
    site.here,
  );
  const several = cache.nodes > 1;
  const group = new ReplicationGroup(
    id,
    {
      replicationGroupId: id,
      description: 'embeddings of promoted models; rebuilt by the cache stage',
      engine: 'redis',
      engineVersion: '7.1',
      nodeType: cache.nodeType,
      numCacheClusters: cache.nodes,
      automaticFailoverEnabled: several,
      multiAzEnabled: several,
      parameterGroupName: 'default.redis7',
      port: 6379,
      subnetGroupName: subnets.name,
      securityGroupIds: [groupFor(site, network, 'cache', 6379).id],
      atRestEncryptionEnabled: true,
      kmsKeyId: keys.data.arn,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      authToken: value.secretString.apply((text) => text ?? ''),
      authTokenUpdateStrategy: 'ROTATE',
      snapshotRetentionLimit: 7,
      snapshotWindow: '00:00-01:00',
      maintenanceWindow: 'sun:09:00-sun:10:00',
      autoMinorVersionUpgrade: true,
      logDeliveryConfigurations: [
        {
          destination: slow.name,
          destinationType: 'cloudwatch-logs',
          logFormat: 'json',
          logType: 'slow-log',
        },
      ],
    },
    { ...site.here, additionalSecretOutputs: ['authToken'] },
  );
  return { group, token };
}
