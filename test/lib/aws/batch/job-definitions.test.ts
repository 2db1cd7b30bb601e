import { BatchClient, RegisterJobDefinitionCommand } from '@aws-sdk/client-batch';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createJobDefinitions } from '../../../../lib/aws/batch/job-definitions.ts';
import { retryStrategyOf } from '../../../../lib/aws/batch/submit-input.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { anImage } from '../../../aws/batch-fixtures.ts';
import { makeCalls, writeTemplates } from '../../../aws/batch-runner.ts';
import { BatchStandIn, sdkError } from '../../../aws/batch-stand-in.ts';

const mock = mockClient(BatchClient);
afterEach(() => mock.reset());

function setUp() {
  const batch = new BatchStandIn(new VirtualClock(0));
  batch.install(mock);
  const templates = writeTemplates(batch, () => anImage('0'));
  const make = (over = {}) =>
    createJobDefinitions({
      calls: makeCalls(),
      templates: { ...templates, ...over },
      furtherRepositories: (image) => (image === 'ml-engine' ? ['acme/trainer'] : []),
    });
  return { batch, templates, make };
}

describe('the definition of a job', () => {
  it("a job uses infrastructure's own definition while it has the run's digest", async () => {
    const { batch, templates, make } = setUp();
    const definitions = make();
    expect(await definitions.arnFor({ stage: 'train', image: anImage('0') })).toBe(templates.train);
    expect(await definitions.arnFor({ stage: 'train', image: anImage('0') })).toBe(templates.train);
    expect(batch.calls).toEqual(['DescribeJobDefinitions']);
  });

  it("a job otherwise uses a copy with the run's digest, registered once for all processes and runs", async () => {
    const { batch, templates, make } = setUp();
    const arn = await make().arnFor({ stage: 'train', image: anImage('a') });
    expect(arn).not.toBe(templates.train);
    expect(mock.commandCalls(RegisterJobDefinitionCommand)[0]?.args[0].input).toEqual({
      jobDefinitionName: 'epsilon-dev-stage-train-r1-aaaaaaaaaaaaaaaa',
      type: 'container',
      platformCapabilities: ['EC2'],
      propagateTags: true,
      retryStrategy: { attempts: 1 },
      timeout: { attemptDurationSeconds: 43_200 },
      containerProperties: {
        image: anImage('a'),
        jobRoleArn: 'arn:aws:iam::123456789012:role/epsilon-dev-job-batch',
        executionRoleArn: 'arn:aws:iam::123456789012:role/epsilon-dev-batch-execution',
        privileged: false,
        readonlyRootFilesystem: true,
        user: '10001',
      },
      tags: { Project: 'embeddings-saas', Environment: 'dev' },
    });
    expect(await make().arnFor({ stage: 'train', image: anImage('a') })).toBe(arn);
    expect(batch.calls.filter((call) => call === 'RegisterJobDefinition')).toHaveLength(1);
  });

  it('a run keeps its digest also when a release has replaced the template', async () => {
    const { batch, templates, make } = setUp();
    const old = batch.definitions.find((one) => one.jobDefinitionArn === templates.train);
    if (old) Object.assign(old, { status: 'INACTIVE' });
    const arn = await make().arnFor({ stage: 'train', image: anImage('0') });
    const found = batch.definitions.find((one) => one.jobDefinitionArn === arn);
    expect(found).toMatchObject({ status: 'ACTIVE', containerProperties: { image: anImage('0') } });
  });

  it.each([
    ['B13: a tag', { image: 'repo/ml-engine:latest' }, 'IMAGE_NOT_PINNED'],
    ['another repository', { image: `elsewhere/ml@sha256:${'0'.repeat(64)}` }, 'IMAGE_REPOSITORY_DIFFERS'],
  ])('a definition is refused for %s', async (_, over, code) => {
    const { make } = setUp();
    await expect(make().arnFor({ stage: 'train', ...over })).rejects.toMatchObject({ code });
  });

  it('an image of a repository that a workload names for it has a copy of the template, for that image alone', async () => {
    const { batch, make } = setUp();
    const registry = anImage('0').split('/')[0];
    const image = `${registry}/acme/trainer@sha256:${'c'.repeat(64)}`;
    const arn = await make().arnFor({ stage: 'train', image });
    expect(batch.definitions.find((one) => one.jobDefinitionArn === arn)?.containerProperties).toMatchObject({
      image,
      user: '10001',
      jobRoleArn: 'arn:aws:iam::123456789012:role/epsilon-dev-job-batch',
    });
    const refused = { code: 'IMAGE_REPOSITORY_DIFFERS' };
    await expect(make().arnFor({ stage: 'prepare', image })).rejects.toMatchObject(refused);
    const elsewhere = image.replace(String(registry), 'registry.example');
    await expect(make().arnFor({ stage: 'train', image: elsewhere })).rejects.toMatchObject(refused);
    const longer = image.replace('trainer', 'trainer2');
    await expect(make().arnFor({ stage: 'train', image: longer })).rejects.toMatchObject({
      ...refused,
      message: expect.stringMatching(/acme\/trainer, not .*acme\/trainer2@/),
    });
  });

  it('a stage without a definition is named', async () => {
    const { make } = setUp();
    await expect(
      make({ train: undefined }).arnFor({ stage: 'train', image: anImage() }),
    ).rejects.toMatchObject({
      code: 'JOB_DEFINITION_MISSING',
      message: expect.stringContaining('"train"'),
    });
  });

  it.each([
    ['DescribeJobDefinitions', 'TooManyRequestsException', { name: 'Throttled' }],
    ['DescribeJobDefinitions', 'TimeoutError', { name: 'Throttled' }],
    [
      'DescribeJobDefinitions',
      'AccessDeniedException',
      { code: 'AWS_ACCESS_DENIED', details: { action: 'batch:DescribeJobDefinitions' } },
    ],
    ['RegisterJobDefinition', 'TooManyRequestsException', { name: 'Throttled' }],
    [
      'RegisterJobDefinition',
      'AccessDeniedException',
      { code: 'AWS_ACCESS_DENIED', details: { action: 'batch:RegisterJobDefinition' } },
    ],
  ])(
    'a call of %s that fails with %s is reported, and made again by the next job',
    async (action, name, told) => {
      const { batch, make } = setUp();
      const definitions = make();
      batch.fail(action, sdkError(name));
      const asked = () => definitions.arnFor({ stage: 'train', image: anImage('a') });
      await expect(asked()).rejects.toMatchObject(told);
      expect(await asked()).toContain('epsilon-dev-stage-train-r1-aaaaaaaaaaaaaaaa:1');
    },
  );

  it('two processes that register at once use equal definitions', async () => {
    const { batch, make } = setUp();
    const arns = await Promise.all(
      [make(), make()].map((one) => one.arnFor({ stage: 'train', image: anImage('a') })),
    );
    for (const arn of arns)
      expect(batch.definitions.find((one) => one.jobDefinitionArn === arn)?.containerProperties?.image).toBe(
        anImage('a'),
      );
  });
});

describe('a retry strategy', () => {
  it('a retry strategy ends in a condition that matches everything', () => {
    expect(retryStrategyOf(3, [{ onStatusReason: 'Host EC2*', action: 'RETRY' }])).toEqual({
      attempts: 3,
      evaluateOnExit: [
        { onStatusReason: 'Host EC2*', action: 'RETRY' },
        { onReason: '*', action: 'EXIT' },
      ],
    });
  });

  it.each([
    ['no attempt', 0, 0],
    ['eleven attempts', 11, 0],
    ['half an attempt', 1.5, 0],
    ['six conditions', 1, 5],
  ])('B15: a retry strategy is refused for %s', (_, attempts, conditions) => {
    const more = Array.from({ length: conditions }, () => ({ onExitCode: '1', action: 'RETRY' as const }));
    expect(() => retryStrategyOf(attempts, more)).toThrow(
      expect.objectContaining({ code: 'BATCH_RETRY_RANGE' }),
    );
  });
});
