import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, ofType, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { at, statementsOf } from '../../../infra/pulumi/policy/statements.ts';
import { ssmParameterName, standbyParameters } from '../../../lib/config/ssm-parameters.ts';

let prod: Registered[] = [];
let dev: Registered[] = [];
let staging: Registered[] = [];

beforeAll(async () => {
  prod = await evaluate(settingsOf('prod'));
  staging = await evaluate(settingsOf('staging'));
  dev = await evaluate(settingsOf('dev'));
}, 120_000);

/** Whether a provider is that of the other region. */
const isThere = (provider: string) => provider.includes('disaster-recovery');

describe('a restored database', () => {
  it('is taken over as it was restored: nothing of what a restore passes differs, so that no plan replaces it', async () => {
    const identifier = 'embeddings-saas-db-restore-0a1b2c3d4e';
    const resources = await evaluate({ ...settingsOf('prod'), restoredDatabase: identifier });
    const databases = ofType(resources, 'rds/instance:Instance');
    expect(databases).toHaveLength(2);
    const restored = databases.find(({ inputs }) => inputs['identifier'] === identifier);
    const home = databases.find((one) => one !== restored);
    expect(restored?.provider).toContain('disaster-recovery');
    // The settings that a restore reads of the live database and passes, but for what belongs to the region.
    for (const setting of [
      'instanceClass',
      'multiAz',
      'deletionProtection',
      'iamDatabaseAuthenticationEnabled',
      'publiclyAccessible',
      'copyTagsToSnapshot',
      'backupRetentionPeriod',
      'manageMasterUserPassword',
      'storageType',
    ])
      expect(restored?.inputs[setting], setting).toEqual(home?.inputs[setting]);
    expect(restored?.inputs).toMatchObject({
      dbSubnetGroupName: 'epsilon-prod-restored',
      parameterGroupName: 'epsilon-prod-restored',
    });
    expect(restored?.ignoreChanges).toEqual(expect.arrayContaining(['engineVersion', 'username']));
  });
});

describe('standby infrastructure', () => {
  it('finds its parameters there, of resources that are there', () => {
    const written = ofType(prod, 'ssm/parameter:Parameter').filter(({ provider }) => isThere(provider));
    expect(written.map(({ inputs }) => inputs['name']).sort()).toEqual(
      standbyParameters.map((name) => ssmParameterName('prod', name)).sort(),
    );
    expect(written.filter(({ inputs }) => !inputs['value'])).toEqual([]);
  });

  it('has images under its own key, a token of its own, and a topic that alarms may write to', () => {
    const there = (type: string) => ofType(prod, type).filter(({ provider }) => isThere(provider));
    const [template] = there('ecr/repositoryCreationTemplate:RepositoryCreationTemplate');
    expect(template?.inputs).toMatchObject({ prefix: 'epsilon', imageTagMutability: 'IMMUTABLE' });
    const rules = [prod, staging, dev].map((resources) => {
      const [found] = ofType(resources, 'ecr/replicationConfiguration:ReplicationConfiguration');
      return at(found?.inputs, 'replicationConfiguration.rules.0');
    });
    // One registry has one rule, whichever environment wrote it last.
    expect(rules[0]).toMatchObject({ destinations: [{ region: 'us-east-1' }] });
    expect(rules).toEqual([rules[0], rules[0], rules[0]]);
    expect(there('secretsmanager/secret:Secret').map(({ inputs }) => inputs['name'])).toEqual([
      'epsilon/prod/redis',
    ]);
    expect(there('sns/topic:Topic').map(({ inputs }) => inputs['name'])).toEqual(['epsilon-prod-alerts']);
    const [key] = there('kms/key:Key');
    const services = statementsOf(key?.inputs['policy']).map(({ principal }) => JSON.stringify(principal));
    for (const service of ['cloudwatch.amazonaws.com', 'logs.us-east-1.amazonaws.com'])
      expect(
        services.some((one) => one.includes(service)),
        service,
      ).toBe(true);
  });
});

describe('failed replication', () => {
  it('reaches a queue that S3 alone may write to, for this bucket, before the bucket tells it anything', () => {
    const [queue] = ofType(prod, 'sqs/queue:Queue');
    // Name as the reader has it (lib/aws/wiring/wire-replication-control.ts).
    expect(queue?.inputs).toMatchObject({
      name: 'epsilon-prod-replication-events',
      sqsManagedSseEnabled: true,
      messageRetentionSeconds: 1_209_600,
    });
    const [policy] = ofType(prod, 'sqs/queuePolicy:QueuePolicy');
    const allowed = statementsOf(policy?.inputs['policy']).filter(({ effect }) => effect === 'Allow');
    expect(allowed).toHaveLength(1);
    expect(JSON.stringify(allowed[0]?.principal)).toContain('s3.amazonaws.com');
    expect(allowed[0]?.conditions['ArnEquals']?.['aws:SourceArn']).toBeDefined();
    const notifications = ofType(prod, 's3/bucketNotification:BucketNotification');
    const [told] = notifications.filter(({ inputs }) => inputs['queues'] !== undefined);
    expect(told?.inputs).toMatchObject({
      eventbridge: true,
      queues: [
        { events: ['s3:Replication:OperationFailedReplication', 's3:Replication:OperationNotTracked'] },
      ],
    });
  });
});
