import { Alias } from '@pulumi/aws/kms/alias.js';
import { Key } from '@pulumi/aws/kms/key.js';
import { interpolate } from '@pulumi/pulumi';
import { document } from './identity.ts';
import type { Site, Statement } from './site.ts';

/** The customer keys: data and logs in the service's region, the replicas' key in the other one. */
export interface Keys {
  readonly data: Key;
  readonly cluster: Key;
  readonly logs: Key;
  readonly replica: Key;
}

const use = ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'];

function services(site: Site, names: readonly string[], region: string): Statement[] {
  return names.map((service) => ({
    Effect: 'Allow',
    Principal: { Service: service },
    Action: use,
    Resource: '*',
    // CloudWatch Logs sends no source account; it names the log group in the encryption context.
    Condition: service.startsWith('logs.')
      ? {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': interpolate`arn:aws:logs:${region}:${site.accountId}:*`,
          },
        }
      : { StringEquals: { 'aws:SourceAccount': site.accountId } },
  }));
}

/** Creates the keys; each rotates yearly and its policy leaves administration to IAM of the account. */
export function createKeys(site: Site): Keys {
  const owner: Statement = {
    Effect: 'Allow',
    Principal: { AWS: interpolate`arn:aws:iam::${site.accountId}:root` },
    Action: 'kms:*',
    Resource: '*',
  };
  const { disasterRecoveryRegion } = site.config;
  const key = (part: string, opts: Site['here'], users: readonly string[] = []) => {
    const made = new Key(
      site.name(part),
      {
        description: `${part} of epsilon ${site.config.environment}`,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: document([
          owner,
          ...services(site, users, opts === site.there ? disasterRecoveryRegion : site.config.region),
        ]),
      },
      { ...opts, protect: true },
    );
    new Alias(site.name(part), { name: `alias/${site.name(part)}`, targetKeyId: made.keyId }, opts);
    return made;
  };
  return {
    data: key('data', site.here, [
      'cloudwatch.amazonaws.com',
      'events.amazonaws.com',
      'budgets.amazonaws.com',
    ]),
    cluster: key('cluster', site.here),
    logs: key('logs', site.here, [`logs.${site.config.region}.amazonaws.com`]),
    // Of everything in that region: what stands there idle has topic, table, logs and variables under it.
    replica: key('replica', site.there, [
      'cloudwatch.amazonaws.com',
      'events.amazonaws.com',
      `logs.${disasterRecoveryRegion}.amazonaws.com`,
    ]),
  };
}
