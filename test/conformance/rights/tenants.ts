import { evaluate, ofType, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { account, arnOf } from '../../fixtures/aws-base.ts';
import {
  attemptCases,
  attemptSession,
  contextOf,
  podCases,
  prepareCases,
  prepareSession,
} from '../../rights/pod-sessions.ts';
import { type AwsRequest, ask, resources, throughService } from '../../rights/requests.ts';
import { inEnvironment, type Policy } from '../../rights/role-policies.ts';
import type { Evaluator } from './evaluator.ts';
import type { Verdict } from './functions.ts';

/** The ARNs that the mocked program gives its resources, as IAM would know them. */
function real(text: string): string {
  return text
    .replaceAll(/arn:aws:mock:[^:]*:\d+:bucket:Bucket\/([\w-]+)/g, 'arn:aws:s3:::$1')
    .replaceAll(/arn:aws:mock:[^:]*:\d+:role:Role\/([\w-]+)/g, `arn:aws:iam::${account}:role/$1`)
    .replaceAll(/arn:aws:mock:[^:]*:\d+:key:Key\/[\w-]+-data\b/g, resources.dataKey)
    .replaceAll(/arn:aws:mock:[^:]*:\d+:eventBus:EventBus\/([\w-]+)/g, arnOf('events', 'event-bus/$1'));
}

const digest = `sha256:${'a'.repeat(64)}`;

/** Roles of jobs as the Pulumi program makes them for an environment. */
export class JobRolesOf {
  readonly #environment: string;
  readonly #seen: readonly Registered[];
  readonly #evaluator: Evaluator;
  readonly verdict: Verdict = { allowed: 0, refused: 0, faults: [] };

  private constructor(environment: string, seen: readonly Registered[], evaluator: Evaluator) {
    this.#environment = environment;
    this.#seen = seen;
    this.#evaluator = evaluator;
  }

  static async open(environment: 'dev' | 'staging' | 'prod', evaluator: Evaluator): Promise<JobRolesOf> {
    const imageDigests = { 'data-pipeline': digest, 'ml-engine': digest, deployer: digest };
    return new JobRolesOf(
      environment,
      await evaluate({ ...settingsOf(environment), imageDigests }),
      evaluator,
    );
  }

  #role(part: string): string {
    return inEnvironment(resources.role(part), this.#environment);
  }

  #policies(part: string): Policy[] {
    const name = `epsilon-${this.#environment}-${part}`;
    const found = ofType(this.#seen, 'iam/rolePolicy:RolePolicy').filter((one) => one.name === name);
    // A job on Batch has no rights: the API that lends credentials has its name in a policy of its own.
    if (found.length === 0 && part !== 'job-batch') throw new Error(`The program makes no policy ${name}.`);
    return found.map(({ inputs }) => ({
      name,
      policy: JSON.parse(real(String(inputs['policy']))) as Policy['policy'],
    }));
  }

  #trust(part: string): unknown {
    const role = ofType(this.#seen, 'iam/role:Role').find(
      ({ name }) => name === `epsilon-${this.#environment}-${part}`,
    );
    return JSON.parse(real(String(role?.inputs['assumeRolePolicy'])));
  }

  async #expect(
    part: string,
    request: AwsRequest,
    allowed: boolean,
    more: { readonly resourcePolicy?: unknown; readonly sessionPolicy?: Policy } = {},
  ): Promise<void> {
    const principal = this.#role(part).replace(':iam:', ':sts:').replace(':role/', ':assumed-role/');
    const found = await this.#evaluator.allows({
      principal: `${principal}/job`,
      request,
      policies: this.#policies(part),
      ...more,
    });
    if (found === allowed) this.verdict[allowed ? 'allowed' : 'refused'] += 1;
    else
      this.verdict.faults.push(
        `${this.#environment}: ${part} ${allowed ? 'may not' : 'may'} ${request.action} on ${request.resource} ${JSON.stringify(request.context)}`,
      );
  }

  /** A session of one tenant: its own objects and no others', whatever the ids look like. */
  async tenants(): Promise<void> {
    const bucket = `arn:aws:s3:::${inEnvironment(resources.bucket, this.#environment)}`;
    for (const [who, whose] of pairs) {
      const tag = { 'aws:PrincipalTag/TenantId': who };
      const own = who === whose;
      const sealed = { resourcePolicy: dataKeyPolicy };
      for (const action of ['GetObject', 'PutObject', 'PutObjectTagging', 'AbortMultipartUpload'])
        await this.#expect(
          'tenant-job',
          ask(`s3:${action}`, `${bucket}/${whose}/runs/r/train/1/model.bin`, tag),
          own,
        );
      await this.#expect(
        'tenant-job',
        ask('s3:ListBucket', bucket, { ...tag, 's3:prefix': `${whose}/runs/` }),
        own,
      );
      const key = throughService('Decrypt', resources.dataKey, 's3', { 'aws:s3:arn': bucket });
      await this.#expect('tenant-job', { ...key, context: { ...key.context, ...tag } }, true, sealed);
      // Narrowed further by whoever begins the session, as the job of one run might be.
      const run = { ...tag };
      const session = onlyRun(bucket, whose, 'r');
      await this.#expect('tenant-job', ask('s3:GetObject', `${bucket}/${whose}/runs/r/x`, run), own, {
        sessionPolicy: session,
      });
      await this.#expect('tenant-job', ask('s3:GetObject', `${bucket}/${whose}/runs/other/x`, run), false, {
        sessionPolicy: session,
      });
    }
    const another = throughService('Decrypt', resources.dataKey, 'dynamodb', {
      'aws:dynamodb:tableName': 'x',
    });
    await this.#expect('tenant-job', another, false, { resourcePolicy: dataKeyPolicy });
    const untagged = ask('s3:GetObject', `${bucket}/acme/runs/r/x`);
    await this.#expect('tenant-job', untagged, false);
    for (const action of ['DeleteObject', 'PutObjectAcl'])
      await this.#expect(
        'tenant-job',
        ask(`s3:${action}`, `${bucket}/acme/x`, { 'aws:PrincipalTag/TenantId': 'acme' }),
        false,
      );
  }

  /** A session of one attempt: reads its run, if it prepares also its tenant's documents, and writes below its own prefix. */
  async attempt(): Promise<void> {
    const bucket = `arn:aws:s3:::${inEnvironment(resources.bucket, this.#environment)}`;
    const sessions = [
      ...attemptCases.map((one) => [...one, attemptSession] as const),
      ...prepareCases.map((one) => [...one, prepareSession] as const),
    ];
    for (const [key, read, write, session] of sessions) {
      const on = `${bucket}/${key}`;
      await this.#expect('tenant-job', ask('s3:GetObject', on, session), read);
      await this.#expect('tenant-job', ask('s3:ListBucket', bucket, { ...session, 's3:prefix': key }), read);
      for (const action of ['PutObject', 'PutObjectTagging', 'AbortMultipartUpload'])
        await this.#expect('tenant-job', ask(`s3:${action}`, on, session), write);
      await this.#expect('tenant-job', ask('s3:DeleteObject', on, session), false);
    }
  }

  /** Who becomes a tenant: a job, as exactly one; trust and the starting role's own policy both decide. */
  async becoming(): Promise<void> {
    const cluster = inEnvironment(resources.cluster, this.#environment);
    const pod = {
      'aws:PrincipalTag/eks-cluster-name': cluster,
      'aws:PrincipalTag/kubernetes-namespace': 'ml-jobs',
      'aws:PrincipalTag/kubernetes-service-account': 'training-job',
    };
    const as = (tenant: string, keys: readonly string[] = []) => ({
      'aws:RequestTag/TenantId': tenant,
      'aws:TagKeys': ['TenantId', ...keys],
    });
    const wholeTenant = { 'aws:PrincipalTag/kubernetes-pod-name': 'acme.x.0-x7k2p', ...as('acme') };
    const cases: readonly (readonly [part: string, context: AwsRequest['context'], allowed: boolean])[] = [
      ['job-batch', as('acme'), false],
      ['job-batch', {}, false],
      ...podCases.map((one) => ['job-pod', { ...pod, ...contextOf(one) }, one.allowed] as const),
      ['job-pod', { ...pod, ...wholeTenant }, true],
      ['job-pod', { ...pod, 'aws:PrincipalTag/kubernetes-namespace': 'default', ...wholeTenant }, false],
      ['job-pod', wholeTenant, false],
      ['job-watcher', { ...pod, ...wholeTenant }, false],
    ];
    const trust = { resourcePolicy: this.#trust('tenant-job') };
    for (const [part, context, allowed] of cases)
      for (const action of ['sts:AssumeRole', 'sts:TagSession'])
        await this.#expect(part, ask(action, this.#role('tenant-job'), context), allowed, trust);
    for (const part of ['job-batch', 'job-pod'])
      await this.#expect(
        part,
        ask('s3:GetObject', `arn:aws:s3:::${inEnvironment(resources.bucket, this.#environment)}/acme/x`),
        false,
      );
  }

  /** The watcher tells our bus of jobs, and of nothing else. */
  async watcher(): Promise<void> {
    const tell = (bus: string, source: string, detailType: string) =>
      ask('events:PutEvents', arnOf('events', `event-bus/${bus}`), {
        'events:source': source,
        'events:detail-type': detailType,
      });
    const ours = `epsilon-${this.#environment}`;
    await this.#expect('job-watcher', tell(ours, 'epsilon.jobs', 'Job State Change'), true);
    await this.#expect('job-watcher', tell(ours, 'epsilon.training', 'Job State Change'), false);
    await this.#expect('job-watcher', tell(ours, 'epsilon.jobs', 'Model Promoted'), false);
    await this.#expect('job-watcher', tell('default', 'epsilon.jobs', 'Job State Change'), false);
  }
}

const dataKeyPolicy = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' },
  ],
};

const onlyRun = (bucket: string, tenant: string, run: string): Policy => ({
  name: 'session',
  policy: {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucket}/${tenant}/runs/${run}/*` }],
  },
});

/** Whose session, whose objects. */
const pairs = ['acme', 't1', 't10', 'acme-2'].flatMap((who) =>
  ['acme', 't1', 't10', 'acme-2', 'nights', 'raw'].map((whose) => [who, whose] as const),
);
