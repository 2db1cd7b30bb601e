import { DescribeNodegroupCommand, EKSClient, UpdateNodegroupConfigCommand } from '@aws-sdk/client-eks';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { eksNodeGroups } from '../../../../lib/aws/eks/eks-node-groups.ts';
import type { GroupSize } from '../../../../lib/ports/serving/sized-groups.ts';
import { sdkError } from '../../../aws/batch-stand-in.ts';
import { sizedGroupsContract } from '../../../contract/sized-groups.ts';

/** EKS with one group, which refuses a minimum above what is kept unless that is raised in the same call. */
function serviceWith(size: GroupSize, over: { status?: string; refuses?: Error } = {}) {
  const client = new EKSClient({ region: 'us-west-2' });
  const mock = mockClient(client);
  let { min, desired } = size;
  mock.on(DescribeNodegroupCommand).callsFake(({ nodegroupName }) => {
    if (nodegroupName !== 'general-a') throw sdkError('ResourceNotFoundException');
    const scalingConfig = { minSize: min, desiredSize: desired, maxSize: size.max };
    return { nodegroup: { status: over.status ?? 'ACTIVE', scalingConfig } };
  });
  mock.on(UpdateNodegroupConfigCommand).callsFake(({ scalingConfig: { minSize, desiredSize } }) => {
    if (over.refuses) throw over.refuses;
    if (minSize > (desiredSize ?? desired))
      throw sdkError('InvalidParameterException', 'minimum above desired');
    min = minSize;
    desired = desiredSize ?? desired;
    return {};
  });
  const sent = () => mock.commandCalls(UpdateNodegroupConfigCommand).map(({ args }) => args[0].input);
  return { groups: eksNodeGroups(async () => client, 'cluster'), sent };
}

sizedGroupsContract('EKS', (size) => serviceWith(size).groups);

describe('node groups of EKS', () => {
  it('call names the minimum, and what is kept only where that has to rise', async () => {
    const { groups, sent } = serviceWith({ min: 1, desired: 3, max: 5 });
    await groups.setMin('general-a', 2);
    await groups.setMin('general-a', 5);
    await groups.setMin('general-a', 1);
    expect(sent().map(({ scalingConfig }) => scalingConfig)).toEqual([
      { minSize: 2 },
      { minSize: 5, desiredSize: 5 },
      { minSize: 1 },
    ]);
  });

  it('group that is being updated is held, and not asked to change', async () => {
    const { groups, sent } = serviceWith({ min: 1, desired: 1, max: 5 }, { status: 'UPDATING' });
    expect(await groups.setMin('general-a', 2)).toBe('held');
    expect(sent()).toEqual([]);
  });

  it.each([
    sdkError('ResourceInUseException', 'in use'),
    sdkError('InvalidRequestException', 'Update already in progress'),
  ])('update that begins in between is held: $name', async (refuses) => {
    const { groups } = serviceWith({ min: 1, desired: 1, max: 5 }, { refuses });
    expect(await groups.setMin('general-a', 2)).toBe('held');
  });

  it('refusal names the action and the group', async () => {
    const { groups } = serviceWith(
      { min: 1, desired: 1, max: 5 },
      { refuses: sdkError('AccessDeniedException') },
    );
    await expect(groups.setMin('general-a', 2)).rejects.toMatchObject({
      code: 'AWS_ACCESS_DENIED',
      details: { action: 'eks:UpdateNodegroupConfig', resource: 'cluster/general-a' },
    });
  });
});
