import { BatchClient } from '@aws-sdk/client-batch';
import {
  DescribeTasksCommand,
  ECSClient,
  ListContainerInstancesCommand,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createInstanceJobs } from '../../../../lib/aws/batch/instance-jobs.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { makeCalls } from '../../../aws/batch-runner.ts';
import { BatchStandIn, queueArns, sdkError } from '../../../aws/batch-stand-in.ts';

const mock = mockClient(BatchClient);
const ecs = mockClient(ECSClient);
afterEach(() => {
  mock.reset();
  ecs.reset();
});

const instance = 'i-0123456789abcdef0';
const spotCluster = 'arn:aws:ecs:us-west-2:123456789012:cluster/spot_Batch';
const hostArn = 'arn:aws:ecs:us-west-2:123456789012:container-instance/spot_Batch/1';

const tagsOf = (over: Record<string, string> = {}) =>
  Object.entries({
    'epsilon:environment': 'dev',
    'epsilon:run': 'acme-2026-11-24',
    'epsilon:stage': 'train',
    'epsilon:attempt': '2',
    ...over,
  }).map(([key, value]) => ({ key, value }));

function setUp(tasks: readonly { key: string; value: string }[][]) {
  const clock = new VirtualClock(0);
  const batch = new BatchStandIn(clock);
  batch.install(mock);
  ecs.on(ListContainerInstancesCommand).resolves({ containerInstanceArns: [] });
  ecs
    .on(ListContainerInstancesCommand, { cluster: spotCluster })
    .resolves({ containerInstanceArns: [hostArn] });
  ecs
    .on(ListTasksCommand)
    .resolvesOnce({ taskArns: ['task-1'], nextToken: 'more' })
    .resolvesOnce({ taskArns: ['task-2'] })
    .resolves({ taskArns: [] });
  ecs.on(DescribeTasksCommand).resolves({ tasks: tasks.map((tags) => ({ tags: [...tags] })) });
  const search = createInstanceJobs({
    calls: makeCalls(),
    ecs: new ECSClient({ region: 'us-west-2' }),
    queueArns: Object.values(queueArns),
    environment: 'dev',
    clock,
  });
  return { clock, batch, search };
}

describe('the attempts on an instance', () => {
  it('attempts on an instance are those of the tasks that ECS runs there', async () => {
    const { batch, search } = setUp([tagsOf()]);
    expect(await search(instance)).toEqual([{ runId: 'acme-2026-11-24', stage: 'train', attempt: 2 }]);
    expect(batch.calls).toEqual(['DescribeJobQueues', 'DescribeComputeEnvironments']);
    expect(ecs.commandCalls(ListContainerInstancesCommand)[0]?.args[0].input).toEqual({
      cluster: spotCluster,
      filter: `ec2InstanceId in ['${instance}']`,
    });
    expect(ecs.commandCalls(ListTasksCommand).map((call) => call.args[0].input)).toEqual([
      { cluster: spotCluster, containerInstance: hostArn },
      { cluster: spotCluster, containerInstance: hostArn, nextToken: 'more' },
    ]);
    expect(ecs.commandCalls(DescribeTasksCommand)[0]?.args[0].input).toEqual({
      cluster: spotCluster,
      tasks: ['task-1', 'task-2'],
      include: ['TAGS'],
    });
  });

  it.each([
    ['another environment', tagsOf({ 'epsilon:environment': 'prod' })],
    ['no tags of ours', [{ key: 'team', value: 'x' }]],
    ['an unknown stage', tagsOf({ 'epsilon:stage': 'compile' })],
    ['no attempt', tagsOf({ 'epsilon:attempt': '' })],
  ])('attempts on an instance are not those of %s', async (_, tags) => {
    expect(await setUp([tags]).search(instance)).toEqual([]);
  });

  it('attempts on an instance cost no call to Batch while the clusters are known; a replaced cluster is seen within minutes', async () => {
    const { clock, batch, search } = setUp([]);
    await search(instance);
    await search(instance);
    expect(batch.calls).toHaveLength(2);
    await clock.advance(300_000);
    await search(instance);
    expect(batch.calls).toHaveLength(4);
  });

  it('attempts on an instance outside Batch are none, after one call per cluster', async () => {
    const { search } = setUp([]);
    ecs.reset();
    ecs.on(ListContainerInstancesCommand).resolves({ containerInstanceArns: [] });
    expect(await search('i-00000000')).toEqual([]);
    expect(ecs.calls()).toHaveLength(2);
  });

  it.each([
    ['ThrottlingException', ListContainerInstancesCommand, { name: 'Throttled' }],
    [
      'AccessDeniedException',
      ListContainerInstancesCommand,
      { code: 'AWS_ACCESS_DENIED', details: { action: 'ecs:ListContainerInstances', resource: spotCluster } },
    ],
    ['ThrottlingException', ListTasksCommand, { name: 'Throttled' }],
    ['AccessDeniedException', ListTasksCommand, { details: { action: 'ecs:ListTasks' } }],
    ['ThrottlingException', DescribeTasksCommand, { name: 'Throttled' }],
    ['AccessDeniedException', DescribeTasksCommand, { details: { action: 'ecs:DescribeTasks' } }],
    ['TimeoutError', DescribeTasksCommand, { name: 'TimeoutError' }],
  ])('a failed call is not taken for an instance without attempts (%#: %s)', async (name, command, told) => {
    const { search } = setUp([tagsOf()]);
    ecs.on(command as typeof DescribeTasksCommand).rejects(sdkError(name));
    await expect(search(instance)).rejects.toMatchObject(told);
  });
});
