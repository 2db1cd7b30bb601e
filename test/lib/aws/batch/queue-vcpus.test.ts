import {
  BatchClient,
  DescribeComputeEnvironmentsCommand,
  DescribeJobQueuesCommand,
  UpdateComputeEnvironmentCommand,
} from '@aws-sdk/client-batch';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { batchQueueVcpus } from '../../../../lib/aws/batch/queue-vcpus.ts';
import type { GroupSize } from '../../../../lib/ports/serving/sized-groups.ts';
import { sdkError } from '../../../aws/batch-stand-in.ts';
import { sizedGroupsContract } from '../../../contract/sized-groups.ts';

/** Batch with one queue over one environment, which keeps at least its minimum. */
function serviceWith(size: GroupSize, over: { status?: string; refuses?: Error } = {}) {
  const client = new BatchClient({ region: 'us-west-2' });
  const mock = mockClient(client);
  let { min, desired } = size;
  mock.on(DescribeJobQueuesCommand).callsFake(({ jobQueues: [queue] }) => ({
    jobQueues:
      queue === 'queue' ? [{ computeEnvironmentOrder: [{ order: 1, computeEnvironment: 'ce' }] }] : [],
  }));
  mock.on(DescribeComputeEnvironmentsCommand).callsFake(() => {
    const computeResources = { minvCpus: min, desiredvCpus: desired, maxvCpus: size.max };
    const status = over.status ?? 'VALID';
    return { computeEnvironments: [{ computeEnvironmentArn: 'ce', status, computeResources }] };
  });
  mock.on(UpdateComputeEnvironmentCommand).callsFake(({ computeResources }) => {
    if (over.refuses) throw over.refuses;
    min = computeResources.minvCpus;
    desired = Math.max(desired, min);
    return {};
  });
  const sent = () => mock.commandCalls(UpdateComputeEnvironmentCommand).map(({ args }) => args[0].input);
  return { groups: batchQueueVcpus(client, { 'general-a': 'queue', gone: 'none' }), sent };
}

sizedGroupsContract('Batch', (size) => serviceWith(size).groups);

describe('vCPU of queues of Batch', () => {
  it('call names the minimum alone', async () => {
    const { groups, sent } = serviceWith({ min: 0, desired: 0, max: 64 });
    await groups.setMin('general-a', 32);
    expect(sent()).toEqual([{ computeEnvironment: 'ce', computeResources: { minvCpus: 32 } }]);
  });

  it('queue that Batch does not know has no size', async () => {
    expect(await serviceWith({ min: 0, desired: 0, max: 64 }).groups.size('gone')).toBeUndefined();
  });

  it.each([
    ['that is being updated', { status: 'UPDATING' }],
    [
      'whose update begins in between',
      { refuses: sdkError('ClientException', 'Cannot update, resource is being modified.') },
    ],
  ])('environment %s is held', async (_, over) => {
    const { groups } = serviceWith({ min: 0, desired: 0, max: 64 }, over);
    expect(await groups.setMin('general-a', 4)).toBe('held');
  });

  it('other refusals are errors', async () => {
    const refuses = sdkError('ClientException', 'minvCpus is above maxvCpus');
    const { groups } = serviceWith({ min: 0, desired: 0, max: 64 }, { refuses });
    await expect(groups.setMin('general-a', 400)).rejects.toThrow('above maxvCpus');
  });
});
