import { beforeAll, describe, expect, it } from 'vitest';
import { batchShares } from '../../../infra/pulumi/batch.ts';
import {
  ancestors,
  attempt,
  evaluate,
  ofType,
  type Registered,
} from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { batchStages } from '../../../infra/pulumi/job-definitions.ts';
import { createPlatform } from '../../../infra/pulumi/platform.ts';
import { at, statementsOf } from '../../../infra/pulumi/policy/statements.ts';
import { readSettings } from '../../../infra/pulumi/settings.ts';
import { loadInfrastructure } from '../../../lib/config/load-infrastructure.ts';
import { ssmParameterName, ssmParameters } from '../../../lib/config/ssm-parameters.ts';
import { shareClasses } from '../../../lib/training/attempts/batch-share.ts';
import { stages } from '../../../lib/training/stages.ts';

let prod: Registered[] = [];
let dev: Registered[] = [];
let staging: Registered[] = [];

beforeAll(async () => {
  prod = await evaluate(settingsOf('prod'));
  staging = await evaluate(settingsOf('staging'));
  dev = await evaluate(settingsOf('dev'));
}, 120_000);

const names = (resources: readonly Registered[], type: string, key: string) =>
  ofType(resources, type).map(({ inputs }) => at(inputs, key));

/** Whether a provider is that of the other region. */
const isThere = (provider: string) => provider.includes('disaster-recovery');

/** Whether a zone is of the service's own region. */
const isHome = (zone: unknown) => String(zone).startsWith('us-west-2');

describe('network', () => {
  it('spans three zones and reaches AWS services from inside', () => {
    // Act
    const zones = new Set(names(prod, 'ec2/subnet:Subnet', 'availabilityZone').filter(isHome));
    const services = names(prod, 'ec2/vpcEndpoint:VpcEndpoint', 'serviceName').map((name) =>
      String(name).replace('com.amazonaws.us-west-2.', ''),
    );

    // Assess
    expect([...zones]).toEqual(['us-west-2a', 'us-west-2b', 'us-west-2c']);
    expect(services.sort()).toEqual([
      'batch',
      'dynamodb',
      'ecr.api',
      'ecr.dkr',
      'ecs',
      'eks',
      'events',
      'execute-api',
      'kms',
      'logs',
      's3',
      'secretsmanager',
      'sns',
      'ssm',
      'states',
      'sts',
      'xray',
    ]);
  });

  it('pays for addresses of AWS services in as many zones as the environment asks for: 3, 1, none', () => {
    const credentials = 'com.amazonaws.us-west-2.execute-api';
    const zonesOf = (resources: readonly Registered[]) =>
      new Set(
        ofType(resources, 'ec2/vpcEndpoint:VpcEndpoint')
          .filter(({ inputs }) => inputs['serviceName'] !== credentials)
          .map(({ inputs }) =>
            inputs['vpcEndpointType'] === 'Gateway' ? 0 : (inputs['subnetIds'] as unknown[]).length,
          ),
      );
    expect([zonesOf(prod), zonesOf(staging), zonesOf(dev)]).toEqual([
      new Set([3, 0]),
      new Set([1, 0]),
      new Set([0]),
    ]);
    for (const resources of [prod, staging, dev]) {
      const [lending, ...more] = ofType(resources, 'ec2/vpcEndpoint:VpcEndpoint').filter(
        ({ inputs }) => inputs['serviceName'] === credentials,
      );
      expect(more).toEqual([]);
      expect(lending?.inputs['subnetIds']).toHaveLength(1);
    }
    expect(ofType(dev, 'ec2/vpcEndpoint:VpcEndpoint')).toHaveLength(3);
  });

  it('gives no two subnets the same addresses', () => {
    const subnets = ofType(prod, 'ec2/subnet:Subnet').filter(({ inputs }) =>
      isHome(inputs['availabilityZone']),
    );
    const blocks = subnets.map(({ inputs }) => String(inputs['cidrBlock']));
    const spans = blocks.map((block) => {
      const [, , third = 0] = block.split('.').map(Number);
      return { from: third, to: third + (block.endsWith('/19') ? 31 : 0) };
    });
    const overlapping = spans.filter((a, i) =>
      spans.some((b, j) => i !== j && a.from <= b.to && b.from <= a.to),
    );
    expect(spans).toHaveLength(6);
    expect(overlapping).toEqual([]);
  });
});

describe('landing of a restore', () => {
  it('is in the other region, takes the database port from inside, and has no way out', () => {
    const away = ofType(prod, 'ec2/subnet:Subnet').filter(
      ({ inputs }) => !isHome(inputs['availabilityZone']),
    );
    expect(away.map(({ inputs }) => inputs['availabilityZone'])).toEqual([
      'us-east-1a',
      'us-east-1b',
      'us-east-1c',
    ]);
    expect(names(prod, 'rds/parameterGroup:ParameterGroup', 'parameters')).toEqual([
      expect.anything(),
      names(prod, 'rds/parameterGroup:ParameterGroup', 'parameters')[0],
    ]);
    expect(names(prod, 'ec2/securityGroup:SecurityGroup', 'name')).toContain('epsilon-prod-restored');
  });
});

describe('order of creation', () => {
  it.each(['general-a', 'general-b', 'general-c', 'ml_workloads'])(
    'node group %s waits for access, associations, daemons and a way out',
    (name) => {
      // Prepare
      const group = ofType(prod, 'eks/nodeGroup:NodeGroup').find(
        ({ inputs }) => inputs['nodeGroupName'] === name,
      );
      const before = group ? ancestors(prod, group) : new Set<string>();

      // Assess
      const needed = [
        ...ofType(prod, 'eks/accessEntry:AccessEntry').filter(({ inputs }) => inputs['type'] === 'STANDARD'),
        ...ofType(prod, 'eks/accessPolicyAssociation:AccessPolicyAssociation'),
        ...ofType(prod, 'eks/podIdentityAssociation:PodIdentityAssociation'),
        ...ofType(prod, 'ec2/natGateway:NatGateway'),
        ...ofType(prod, 'eks/addon:Addon').filter(({ inputs }) =>
          ['vpc-cni', 'kube-proxy', 'eks-pod-identity-agent'].includes(String(inputs['addonName'])),
        ),
      ];
      expect(needed.length).toBeGreaterThan(11);
      for (const { type, name: part } of needed) expect(before).toContain(`${type}::${part}`);
      expect(group?.ignoreChanges).toEqual(['scalingConfig.desiredSize', 'scalingConfig.minSize']);
    },
  );

  it.each(['coredns', 'aws-ebs-csi-driver', 'metrics-server'])('add-on %s waits for nodes', (name) => {
    const addon = ofType(prod, 'eks/addon:Addon').find(({ inputs }) => inputs['addonName'] === name);
    const before = addon ? ancestors(prod, addon) : new Set<string>();
    const groups = ofType(prod, 'eks/nodeGroup:NodeGroup');
    expect(groups).toHaveLength(4);
    for (const group of groups) expect(before).toContain(`${group.type}::${group.name}`);
  });

  it('every role is complete before its association, and replication waits for both versionings', () => {
    for (const association of ofType(prod, 'eks/podIdentityAssociation:PodIdentityAssociation')) {
      expect(association.waitsFor).toContain(`aws:iam/rolePolicy:RolePolicy::${association.name}`);
    }
    const [replication] = ofType(prod, 's3/bucketReplicationConfig:BucketReplicationConfig');
    const versionings = replication?.waitsFor.filter((key) => key.includes('BucketVersioning'));
    expect(versionings).toHaveLength(2);
  });

  it('the cluster and the database, the two longest ways, begin as soon as there are subnets, keys and roles', () => {
    for (const type of ['eks/cluster:Cluster', 'rds/instance:Instance']) {
      const [slow] = ofType(prod, type);
      const before = [...(slow ? ancestors(prod, slow) : [])].map((key) => key.split('::')[0] ?? '');
      expect(before).toContain('aws:ec2/subnet:Subnet');
      const kinds = new Set(before.map((key) => key.replace(/^aws:(\w+)\/.*/, '$1')));
      for (const kind of kinds)
        expect(['ec2', 'kms', 'iam', 'cloudwatch', 'rds', 'vpc', 'pulumi:providers:aws']).toContain(kind);
      for (const late of ['ec2/natGateway:NatGateway', 'ec2/vpcEndpoint:VpcEndpoint', 'ec2/route:Route'])
        expect(before).not.toContain(`aws:${late}`);
    }
  });

  it('parameters that the add-ons ask for wait for nothing but what they name', () => {
    for (const [name, others] of [
      ['eks/cluster-name', ['rds/instance:Instance', 'eks/nodeGroup:NodeGroup']],
      ['alerts/topic-arn', ['rds/instance:Instance', 'eks/cluster:Cluster']],
      ['network/vpc-id', ['rds/instance:Instance', 'eks/cluster:Cluster']],
    ] as const) {
      const parameter = ofType(prod, 'ssm/parameter:Parameter').find(
        ({ inputs }) => inputs['name'] === ssmParameterName('prod', name),
      );
      const before = [...(parameter ? ancestors(prod, parameter) : ['missing'])];
      for (const other of others)
        expect(before.some((key) => key === 'missing' || key.startsWith(`aws:${other}`))).toBe(false);
    }
  });

  it('network policy is switched on in the network add-on', () => {
    const cni = ofType(prod, 'eks/addon:Addon').find(({ inputs }) => inputs['addonName'] === 'vpc-cni');
    expect(JSON.parse(String(cni?.inputs['configurationValues']))).toMatchObject({
      enableNetworkPolicy: 'true',
    });
  });
});

describe('recovery', () => {
  it('sends backups and objects to the other region, objects within 15 minutes', () => {
    // Act
    const [backups] = ofType(
      prod,
      'rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication',
    );
    const [replication] = ofType(prod, 's3/bucketReplicationConfig:BucketReplicationConfig');

    // Assess
    expect(backups?.provider).toContain('disaster-recovery');
    expect(backups?.inputs['retentionPeriod']).toBe(7);
    expect(at(replication?.inputs, 'rules.0.destination.replicationTime')).toEqual({
      status: 'Enabled',
      time: { minutes: 15 },
    });
  });

  it('protects what holds data from being deleted by the program', () => {
    const precious = [
      'rds/instance:Instance',
      's3/bucket:Bucket',
      'kms/key:Key',
      'ecr/repository:Repository',
    ];
    const resources = precious.flatMap((type) => ofType(prod, type));
    expect(resources.length).toBeGreaterThan(12);
    expect(resources.filter(({ protect }) => !protect).map(({ name }) => name)).toEqual([]);
  });
});

describe('identities', () => {
  const role = (name: string) => ofType(prod, 'iam/role:Role').find((resource) => resource.name === name);

  it('GitHub takes the release role from one repository and one environment exactly', () => {
    const [statement] = statementsOf(role('epsilon-prod-github-release')?.inputs['assumeRolePolicy']);
    expect(statement?.conditions).toEqual({
      StringEquals: {
        'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
        'token.actions.githubusercontent.com:sub': 'repo:embeddings/saas:environment:prod',
      },
    });
  });
});

describe('fair shares on Batch', () => {
  it('weigh the classes that tenants submit under', () => {
    const classes = shareClasses.map(({ prefix, weightFactor }) => ({
      shareIdentifier: `${prefix}*`,
      weightFactor,
    }));
    expect(batchShares).toEqual(classes);
    const policies = ofType(prod, 'batch/schedulingPolicy:SchedulingPolicy');
    expect(policies.map(({ inputs }) => at(inputs, 'fairSharePolicy'))).toEqual([
      { shareDecaySeconds: 1_800, computeReservation: 0, shareDistributions: classes },
    ]);
  });
});

describe('parameters and batch', () => {
  it('writes every listed parameter, each with a value', () => {
    const written = ofType(prod, 'ssm/parameter:Parameter').filter(({ provider }) => !isThere(provider));
    expect(written.map(({ inputs }) => inputs['name']).sort()).toEqual(
      ssmParameters.map(({ name }) => ssmParameterName('prod', name)).sort(),
    );
    expect(written.filter(({ inputs }) => !inputs['value']).map(({ name }) => name)).toEqual([]);
  });

  it('has a spot and an on-demand queue that scale to zero', () => {
    const computes = ofType(prod, 'batch/computeEnvironment:ComputeEnvironment');
    expect(computes.map(({ inputs }) => at(inputs, 'computeResources.type'))).toEqual(['SPOT', 'EC2']);
    expect(computes.map(({ inputs }) => at(inputs, 'computeResources.minVcpus'))).toEqual([0, 0]);
    expect(ofType(prod, 'batch/jobQueue:JobQueue')).toHaveLength(2);
    for (const { inputs } of ofType(prod, 'batch/jobQueue:JobQueue'))
      expect(at(inputs, 'schedulingPolicyArn')).toMatch(/batch-shares/);
  });

  it('asks for the same images and resources as the stage catalogue', () => {
    const catalogue = Object.fromEntries(
      Object.values(stages).map(({ name, image, resources, timeoutSeconds }) => [
        name,
        { image, ...resources, timeoutSeconds },
      ]),
    );
    expect(batchStages).toEqual(catalogue);
  });
});

describe('environments', () => {
  it('differ in configuration only: the same kinds of resources, other sizes and names', () => {
    // Act
    const kinds = (resources: readonly Registered[]) => new Set(resources.map(({ type }) => type));

    // Assess
    expect(kinds(staging)).toEqual(kinds(prod));
    expect(kinds(dev)).toEqual(kinds(prod));
    expect(names(dev, 'eks/cluster:Cluster', 'name')).toEqual(['embeddings-saas-cluster-dev']);
    expect(names(staging, 's3/bucket:Bucket', 'bucket')).toContain('embeddings-saas-data-staging');
    expect(ofType(dev, 'ec2/natGateway:NatGateway')).toHaveLength(1);
    expect(ofType(prod, 'ec2/natGateway:NatGateway')).toHaveLength(3);
  });
});

describe('refused settings', () => {
  const { region, dataBucket, maxConcurrency, queueSize, ...file } = settingsOf('prod');
  const service = { environment: 'prod', region, dataBucket, training: { maxConcurrency }, queueSize };
  const build = (change: object) => () => createPlatform(loadInfrastructure({ ...file, ...change }, service));

  it.each([
    ['a region that is its own refuge', { disasterRecoveryRegion: 'us-west-2' }, 'DR_REGION_SAME'],
    ['retention 0', { database: { ...file.database, backupRetentionDays: 0 } }, 'RETENTION_RANGE'],
    ['an open endpoint', { cluster: { ...file.cluster, publicAccessCidrs: ['0.0.0.0/0'] } }, 'ENDPOINT_OPEN'],
    ['an unknown key', { nodeGroup: {} }, 'CONFIG_UNKNOWN_KEY'],
    ['a placeholder', { budget: { ...file.budget, alertEmail: 'platform@example.com' } }, 'PLACEHOLDER_LEFT'],
  ])('%s leaves nothing created', async (_what, change, code) => {
    const { error, registered } = await attempt(build(change));
    expect(error).toMatchObject({ code });
    expect(registered).toBe(0);
  });

  it('the same settings unchanged do create resources', async () => {
    const { error, registered } = await attempt(build({}));
    expect(error).toBeUndefined();
    expect(registered).toBeGreaterThan(150);
  });

  it('a stack that is no environment is refused by name', () => {
    expect(() => readSettings('production')).toThrow('"production" is none of dev, staging, prod');
  });
});
