import { describe, expect, it } from 'vitest';
import { createLendCredentials } from '../../../../functions/training/lend-credentials.ts';
import { Throttled } from '../../../../lib/errors/run-errors.ts';
import type { JobSessions, SessionScope } from '../../../../lib/ports/job-sessions.ts';
import { contractSchema } from '../../../../lib/quality/datasets/contract.ts';
import type { Attempt } from '../../../../lib/training/run.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { openMemoryStores } from '../../../dynamodb/memory-stores.ts';
import { testPorts } from '../../../fixtures/ports.ts';
import { anAttempt, aRun, aTenant } from '../../../fixtures/records.ts';
import { silentLog } from '../../../fixtures/silent-log.ts';

const ownTask = 'a'.repeat(32);
const otherTask = 'b'.repeat(32);
const jobRole = 'arn:aws:sts::123456789012:assumed-role/epsilon-dev-job-batch';

const own = anAttempt({ backend: 'batch', status: 'running', jobId: 'job-own' });
const others = anAttempt({
  backend: 'batch',
  status: 'running',
  jobId: 'job-other',
  runId: 'beta-2026-11-24',
  tenantId: 'beta',
});
const asked = { runId: own.runId, stage: own.stage, attempt: own.attempt };

const throttled = async () => {
  throw new Throttled('too many requests');
};

/** The broker over these attempts of the run; Batch says that each job runs in the task named here. */
function open(
  attempts: readonly Attempt[],
  tasks: Readonly<Record<string, string>> = { 'job-own': ownTask },
  over: Partial<JobSessions> = {},
) {
  const begun: SessionScope[] = [];
  const clock = new VirtualClock(0);
  const runs = Object.assign(openMemoryStores({ clock }).runs, {
    getRunWithAttempts: async (runId: string) => {
      const mine = attempts.filter((one) => one.runId === runId);
      const [first] = mine;
      return first && { run: aRun({ runId, tenantId: first.tenantId }), attempts: mine };
    },
    listAttempts: async (runId: string) => attempts.filter((one) => one.runId === runId),
  });
  const dataset = (tenantId: string) =>
    contractSchema.parse({ location: `s3://epsilon-data/${tenantId}/orders/`, format: 'csv' });
  const tenants = Object.assign(openMemoryStores({ clock }).tenants, {
    get: async (tenantId: string) => aTenant({ tenantId, dataset: dataset(tenantId) }),
  });
  const sessions = {
    taskOf: async (jobId: string) => tasks[jobId],
    begin: async (scope: SessionScope) => {
      begun.push(scope);
      const expiration = new Date(900_000);
      return { accessKeyId: 'ASIA', secretAccessKey: 'hidden', sessionToken: 'token', expiration };
    },
    ...over,
  };
  const counted: string[] = [];
  const metrics = { count: (name: string) => void counted.push(name), duration: () => {} };
  const lend = createLendCredentials({ ...testPorts({ clock }), metrics, runs, tenants, sessions });
  const ask = async (body: unknown, userArn = `${jobRole}/${ownTask}`) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const requestContext = { requestId: '1', identity: { userArn } };
    const invocation = { log: silentLog, requestId: '1', remainingMs: () => 10_000 };
    const { statusCode, body: answered } = await lend({ body: text, requestContext }, invocation);
    return { statusCode, ...(JSON.parse(answered) as Record<string, unknown>) };
  };
  return { ask, begun, counted };
}

describe('the credentials API', () => {
  it('lends a job that looks at data its own prefix, and each tenant of its own its documents and dataset alone', async () => {
    const profile = anAttempt({
      backend: 'batch',
      status: 'running',
      jobId: 'job-own',
      tenantId: 'quality',
      runId: 'quality-1',
      stage: 'profile',
      outputUri: 's3://epsilon-data/quality/runs/quality-1/profile/1/',
      profiles: ['acme'],
    });
    const { ask, begun } = open([profile]);
    const question = { runId: 'quality-1', stage: 'profile', attempt: 1 };
    expect(await ask(question)).toMatchObject({ statusCode: 200 });
    expect(await ask({ ...question, tenantId: 'acme' })).toMatchObject({ statusCode: 200 });
    expect(await ask({ ...question, tenantId: 'beta' })).toMatchObject({ statusCode: 403 });
    expect(begun).toMatchObject([
      {
        tenantId: 'quality',
        read: ['s3://epsilon-data/quality/runs/quality-1/'],
        write: profile.outputUri,
      },
      {
        tenantId: 'acme',
        read: ['s3://documents/acme/', 's3://epsilon-data/acme/orders/'],
        write: expect.stringMatching(/\/acme\/runs\/quality-1\/profile\/1\/$/),
      },
    ]);
  });

  it('lends a job what its attempt needs: its run to read, its own prefix to write', async () => {
    const { ask, begun } = open([own]);
    expect(await ask(asked)).toEqual({
      statusCode: 200,
      Version: 1,
      AccessKeyId: 'ASIA',
      SecretAccessKey: 'hidden',
      SessionToken: 'token',
      Expiration: '1970-01-01T00:15:00.000Z',
    });
    const run = own.outputUri.slice(0, -`${own.stage}/${own.attempt}/`.length);
    expect(begun).toEqual([
      { tenantId: 'acme', name: 'acme-2026-11-24/train/1', read: [run], write: own.outputUri },
    ]);
  });

  it('lets the stage that prepares documents read them, and no other stage', async () => {
    const prepare = anAttempt({ backend: 'batch', status: 'running', jobId: 'job-own', stage: 'prepare' });
    const { ask, begun } = open([prepare]);
    await ask({ ...asked, stage: 'prepare' });
    expect(begun[0]?.read).toContain(aRun().documentsUri);
  });

  it.each([
    [
      'T2: a task that asks for the attempt of another tenant',
      [own, others],
      { ...asked, runId: others.runId },
    ],
    [
      'T2: a task that asks for another attempt of its own run',
      [own, { ...own, attempt: 2, jobId: 'job-2' }],
      { ...asked, attempt: 2 },
    ],
    ['T3: a task whose attempt succeeded', [{ ...own, status: 'succeeded' }], asked],
    ['T3: a task whose attempt was cancelled', [{ ...own, status: 'cancelled' }], asked],
    ['T3: a task whose attempt was answered', [{ ...own, settledAt: '2026-11-24T03:00:00Z' }], asked],
    ['T3: a task whose run gave its attempt up', [{ ...own, abandonedAt: '2026-11-24T03:00:00Z' }], asked],
    ['T2: a task that asks for a run that does not exist', [own], { ...asked, runId: 'nobody' }],
    ['T2: a task that asks for an attempt in Kubernetes', [{ ...own, backend: 'eks' }], asked],
  ] as const)('refuses %s', async (_who, attempts, body) => {
    const { ask, begun } = open(attempts, { 'job-own': ownTask, 'job-other': otherTask, 'job-2': otherTask });
    const answer = await ask(body);
    // The same answer whatever the reason: it says nothing of attempts that are not the caller's.
    expect(answer).toEqual({
      statusCode: 403,
      code: 'CREDENTIALS_REFUSED',
      message: 'This job gets no credentials for this attempt.',
    });
    expect(begun).toEqual([]);
  });

  it.each([
    ['T4: another task, with the request of this one', `${jobRole}/${otherTask}`],
    ['T4: a person who took the role', `${jobRole}/somebody`],
    ['T4: a longer name that begins with the task', `${jobRole}/${ownTask}0`],
    ['T4: another role under the name of the task', `${jobRole}-2/${ownTask}`],
    ['T4: the role of another environment', `${jobRole.replace('-dev-', '-prod-')}/${ownTask}`],
    ['T4: a user of the name of the task', `arn:aws:iam::123456789012:user/${ownTask}`],
    ['T4: nobody', ''],
  ])('refuses %s', async (_who, userArn) => {
    const { ask, begun } = open([own]);
    expect(await ask(asked, userArn)).toMatchObject({ statusCode: 403, code: 'CREDENTIALS_REFUSED' });
    expect(begun).toEqual([]);
  });

  it.each([
    ['whose id is not on record yet', [{ ...own, jobId: undefined }], { 'job-own': ownTask }],
    ['that Batch does not call running yet', [own], {}],
  ])('asks a job %s to come again', async (_which, attempts, tasks) => {
    const { jobId, ...without } = own;
    const [first] = attempts;
    const { ask, begun } = open(
      [first?.jobId === undefined ? without : { ...own, jobId: jobId ?? '' }],
      tasks,
    );
    expect(await ask(asked)).toMatchObject({ statusCode: 409, code: 'CREDENTIALS_TOO_EARLY' });
    expect(begun).toEqual([]);
  });

  it.each([
    '',
    '{}',
    'null',
    JSON.stringify({ ...asked, stage: 'promote' }),
    JSON.stringify({ ...asked, attempt: '1' }),
    JSON.stringify({ ...asked, tenantId: 'beta' }),
  ])('refuses the body %j', async (body) => {
    const { ask } = open([own]);
    expect(await ask(body)).toMatchObject({ statusCode: 400, code: 'CREDENTIALS_BAD_REQUEST' });
  });

  it.each([
    ['Batch', { taskOf: throttled }],
    ['STS', { begin: throttled }],
  ])('asks a job to come again when %s throttles, and counts no refusal', async (_who, over) => {
    const { ask, counted } = open([own], undefined, over);
    expect(await ask(asked)).toMatchObject({ statusCode: 429, code: 'THROTTLED' });
    expect(counted).toEqual([]);
  });

  it('fails, so that it is noticed, for a fault that is no refusal, and answers nothing of it', async () => {
    const broken = async () => {
      throw new Error('broken');
    };
    const { ask, counted } = open([own], undefined, { begin: broken });
    await expect(ask(asked)).rejects.toThrow('broken');
    expect(counted).toEqual([]);
  });

  it('counts what it lends and what it refuses', async () => {
    const { ask, counted } = open([own]);
    await ask(asked);
    await ask({ ...asked, runId: 'nobody' });
    expect(counted).toEqual(['CredentialsLent', 'CredentialsRefused']);
  });
});
