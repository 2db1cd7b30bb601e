import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, ofType, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { statementsOf } from '../../../infra/pulumi/policy/statements.ts';
import { tenantIdPattern } from '../../../lib/tenants/tenant.ts';
import {
  attemptCases,
  attemptSession,
  contextOf,
  podCases,
  prepareCases,
  prepareSession,
} from '../../rights/pod-sessions.ts';
import { nodesToCome } from './group-at-zero.ts';
import { type Facts, permits, trusts } from './iam.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const bucket = 'arn:aws:mock:us-west-2:123456789012:bucket:Bucket/embeddings-saas-data';
let seen: Registered[] = [];

beforeAll(async () => {
  const imageDigests = { 'data-pipeline': digest, 'ml-engine': digest, deployer: digest };
  seen = await evaluate({ ...settingsOf('prod'), imageDigests });
});

const role = (part: string) =>
  ofType(seen, 'iam/role:Role').find(({ name }) => name === `epsilon-prod-${part}`);
const arnOf = (part: string) => `arn:aws:mock:us-west-2:123456789012:role:Role/epsilon-prod-${part}`;
const policy = (part: string) =>
  ofType(seen, 'iam/rolePolicy:RolePolicy')
    .filter(({ name }) => name === `epsilon-prod-${part}`)
    .flatMap(({ inputs }) => statementsOf(inputs['policy']));

const as = (tenantId: string | undefined, more: Facts = {}): Facts => ({
  ...(tenantId === undefined ? {} : { 'aws:PrincipalTag/TenantId': tenantId }),
  'kms:ViaService': 's3.us-west-2.amazonaws.com',
  ...more,
});

const mayRead = (tenantId: string | undefined, key: string) =>
  permits(policy('tenant-job'), {
    action: 's3:GetObject',
    resource: `${bucket}/${key}`,
    facts: as(tenantId),
  });
const mayWrite = (tenantId: string | undefined, key: string) =>
  permits(policy('tenant-job'), {
    action: 's3:PutObject',
    resource: `${bucket}/${key}`,
    facts: as(tenantId),
  });
const mayList = (tenantId: string | undefined, prefix: string | undefined) =>
  permits(policy('tenant-job'), {
    action: 's3:ListBucket',
    resource: bucket,
    facts: as(tenantId, prefix === undefined ? {} : { 's3:prefix': prefix }),
  });

describe('the reach of a tenant session', () => {
  it.each([
    ['t1', 't1/runs/model.bin', true],
    ['t1', 't1/runs/r/train/1/manifest.json', true],
    ['t1', 't10/runs/model.bin', false],
    ['t10', 't1/runs/model.bin', false],
    ['t1', 't1', false],
    ['acme', 'acme-2/runs/x', false],
    ['acme-2', 'acme/runs/x', false],
    ['acme', 'raw/acme/x', false],
    ['acme', 'nights/2026-11-24.json', false],
    ['*', 'acme/model.bin', false],
    ['t?', 't1/model.bin', false],
    ['', 'acme/model.bin', false],
    [undefined, 'acme/model.bin', false],
  ])('tenant %j, object %s: %s', (tenantId, key, allowed) => {
    expect([mayRead(tenantId, key), mayWrite(tenantId, key)]).toEqual([allowed, allowed]);
  });

  it.each([
    ['t1', 't1/', true],
    ['t1', 't1/runs/', true],
    ['t1', 't10/', false],
    ['t1', 't1', false],
    ['t1', '', false],
    ['t1', undefined, false],
    [undefined, 't1/', false],
  ])('tenant %j, listing %j: %s', (tenantId, prefix, allowed) => {
    expect(mayList(tenantId, prefix)).toBe(allowed);
  });

  it('T1: of any two tenants neither reaches an object of the other, also when one id begins with the other', () => {
    const id = fc.stringMatching(new RegExp(tenantIdPattern.source));
    const pair = fc.oneof(
      fc.tuple(id, id),
      fc
        .tuple(id, fc.stringMatching(/^[a-z0-9-]{1,6}$/))
        .map(([one, tail]) => [one, `${one}${tail}`] as const),
    );
    fc.assert(
      fc.property(pair, fc.stringMatching(/^[a-z0-9/._-]{0,30}$/), ([one, other], rest) => {
        fc.pre(one !== other);
        for (const [who, whose] of [
          [one, other],
          [other, one],
        ] as const) {
          if (mayRead(who, `${whose}/${rest}`) || mayWrite(who, `${whose}/runs/${rest}`)) return false;
          if (mayList(who, `${whose}/${rest}`)) return false;
          if (!mayRead(who, `${who}/${rest}`) || !mayList(who, `${who}/${rest}`)) return false;
        }
        return true;
      }),
      { numRuns: 500 },
    );
  });

  const sessions = [
    ...attemptCases.map((one) => ['train', ...one, attemptSession] as const),
    ...prepareCases.map((one) => ['prepare', ...one, prepareSession] as const),
  ];
  it.each(sessions)(
    'T5: session of one attempt of %s, object %s: read %s, write %s',
    (_, key, read, write, tags) => {
      const may = (action: string, resource: string, more: Facts = {}) =>
        permits(policy('tenant-job'), {
          action,
          resource,
          facts: { ...tags, ...more, 'kms:ViaService': 's3.us-west-2.amazonaws.com' },
        });
      const object = `${bucket}/${key}`;
      expect([may('s3:GetObject', object), may('s3:PutObject', object)]).toEqual([read, write]);
      expect([may('s3:PutObjectTagging', object), may('s3:AbortMultipartUpload', object)]).toEqual([
        write,
        write,
      ]);
      expect(may('s3:ListBucket', bucket, { 's3:prefix': key })).toBe(read);
    },
  );

  it('nothing can be deleted, and no other service is reached', () => {
    const actions = new Set(policy('tenant-job').flatMap((statement) => statement.actions));
    expect([...actions].sort()).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey',
      's3:AbortMultipartUpload',
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
      's3:PutObjectTagging',
    ]);
  });
});

describe('the way to become a tenant', () => {
  const pod: Facts = {
    'aws:PrincipalTag/eks-cluster-name': 'embeddings-saas-cluster',
    'aws:PrincipalTag/kubernetes-namespace': 'ml-jobs',
    'aws:PrincipalTag/kubernetes-service-account': 'training-job',
  };
  const named = { ...pod, 'aws:PrincipalTag/kubernetes-pod-name': 'acme.x.0-x7k2p' };
  const asking = (tenantId: string | undefined, more: readonly string[] = []): Facts =>
    tenantId === undefined
      ? {}
      : { 'aws:RequestTag/TenantId': tenantId, 'aws:TagKeys': ['TenantId', ...more] };
  const trust = () => statementsOf(role('tenant-job')?.inputs['assumeRolePolicy']);

  it.each(podCases)('T1, T6: $who: $allowed', (one) => {
    const facts = { ...pod, ...contextOf(one) };
    expect(trusts(trust(), { principal: arnOf('job-pod'), facts })).toBe(one.allowed);
  });

  it('a pod is granted its own tags, which stay with it, beside those it asks for', () => {
    const facts = {
      ...pod,
      'aws:PrincipalTag/kubernetes-pod-name': 'acme.x.0-x7k2p',
      ...asking('acme', ['kubernetes-pod-name']),
    };
    expect(trusts(trust(), { principal: arnOf('job-pod'), facts })).toBe(true);
  });

  it.each([
    [
      'a pod of another namespace',
      'job-pod',
      { ...named, 'aws:PrincipalTag/kubernetes-namespace': 'default', ...asking('acme') },
      false,
    ],
    [
      'a pod of another service account',
      'job-pod',
      { ...named, 'aws:PrincipalTag/kubernetes-service-account': 'default', ...asking('acme') },
      false,
    ],
    ['the role of pods, used by no pod', 'job-pod', asking('acme'), false],
    ['a Batch job, as one tenant', 'job-batch', asking('acme'), false],
    ['a Batch job as no tenant', 'job-batch', asking(undefined), false],
    ['a Batch job that adds a tag of its own', 'job-batch', asking('acme', ['Role']), false],
    ['another role of ours', 'batch-execution', asking('acme'), false],
    ['the watcher', 'job-watcher', { ...named, ...asking('acme') }, false],
  ] as const)('%s', (_who, part, facts, allowed) => {
    expect(trusts(trust(), { principal: arnOf(part), facts })).toBe(allowed);
  });

  it.each(['job-pod'])('%s can become the tenant role and do nothing else', (part) => {
    const statements = policy(part);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatchObject({
      actions: ['sts:AssumeRole', 'sts:TagSession'],
      resources: [arnOf('tenant-job')],
    });
    expect(mayReadAs(part)).toBe(false);
  });

  const mayReadAs = (part: string) =>
    permits(policy(part), { action: 's3:GetObject', resource: `${bucket}/acme/x`, facts: as('acme') });

  it.each([
    [
      'the function that lends credentials',
      'epsilon/prod/epsilon-prod-LendCredentialsRole-1ABCDEFGHIJK',
      asking('acme'),
      true,
    ],
    [
      'it as no tenant',
      'epsilon/prod/epsilon-prod-LendCredentialsRole-1ABCDEFGHIJK',
      asking(undefined),
      false,
    ],
    [
      'it with another tag',
      'epsilon/prod/epsilon-prod-LendCredentialsRole-1ABCDEFGHIJK',
      asking('acme', ['Run']),
      false,
    ],
    [
      'that of another environment',
      'epsilon/dev/epsilon-dev-LendCredentialsRole-1ABCDEFGHIJK',
      asking('acme'),
      false,
    ],
    ['another function', 'epsilon/prod/epsilon-prod-SubmitStageRole-1ABCDEFGHIJK', asking('acme'), false],
    ['a role of that name elsewhere', 'epsilon-prod-LendCredentialsRole-1ABCDEFGHIJK', asking('acme'), false],
    ['a Batch job', 'epsilon-prod-job-batch', asking('acme'), false],
  ])('%s, by the name of its role', (_who, name, facts, allowed) => {
    const root = 'arn:aws:iam::123456789012:root';
    const of = { ...facts, 'aws:PrincipalArn': `arn:aws:iam::123456789012:role/${name}` };
    expect(trusts(trust(), { principal: root, facts: of })).toBe(allowed);
  });

  it('job-batch has no rights of its own', () => {
    expect(policy('job-batch')).toEqual([]);
  });

  it('a session lasts an hour, which is all that a chained one may', () => {
    expect(role('tenant-job')?.inputs['maxSessionDuration']).toBe(3_600);
  });
});

describe('the start of each job', () => {
  it('Batch jobs start with the role that can only become a tenant, and never with the one that pulls images', () => {
    const definitions = ofType(seen, 'batch/jobDefinition:JobDefinition');
    expect(definitions).toHaveLength(5);
    for (const { inputs } of definitions) {
      const container = JSON.parse(String(inputs['containerProperties'])) as Record<string, string>;
      expect(container['jobRoleArn']).toBe(arnOf('job-batch'));
      expect(container['executionRoleArn']).toBe(arnOf('batch-execution'));
    }
  });

  it('pods of jobs and the watcher have their roles by association, before any node exists', () => {
    const associations = ofType(seen, 'eks/podIdentityAssociation:PodIdentityAssociation');
    const of = (part: string) => associations.find(({ name }) => name === `epsilon-prod-${part}`)?.inputs;
    expect(of('job-pod')).toMatchObject({
      namespace: 'ml-jobs',
      serviceAccount: 'training-job',
      roleArn: arnOf('job-pod'),
    });
    expect(of('job-watcher')).toMatchObject({
      namespace: 'epsilon',
      serviceAccount: 'job-watcher',
      roleArn: arnOf('job-watcher'),
    });
  });

  it('the watcher may tell our bus how jobs stand, and nothing else', () => {
    const tell = (bus: string, source: string, detailType = 'Job State Change') =>
      permits(policy('job-watcher'), {
        action: 'events:PutEvents',
        resource: `arn:aws:events:us-west-2:123456789012:event-bus/${bus}`,
        facts: { 'events:source': [source], 'events:detail-type': [detailType] },
      });
    expect(tell('epsilon-prod', 'epsilon.jobs')).toBe(true);
    expect(tell('epsilon-prod', 'epsilon.training')).toBe(false);
    expect(tell('epsilon-prod', 'epsilon.jobs', 'Model Promoted')).toBe(false);
    expect(tell('default', 'epsilon.jobs')).toBe(false);
    expect(policy('job-watcher').flatMap(({ actions }) => actions)).toEqual(['events:PutEvents']);
  });

  it('nodes carry the label that jobs choose their capacity by', () => {
    const labels = nodesToCome(seen).map((node) => node.labels);
    expect(labels).toContainEqual({ workload: 'training', 'epsilon/capacity': 'spot' });
    expect(labels).toContainEqual({ workload: 'training', 'epsilon/capacity': 'on-demand' });
  });
});
