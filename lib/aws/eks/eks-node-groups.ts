import type { EKSClient, Nodegroup } from '@aws-sdk/client-eks';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { SizedGroups } from '../../ports/serving/sized-groups.ts';
import { errorName, explained } from '../errors/service-errors.ts';

/** EKS refuses a change while another one of the group is under way. */
function isUnderWay(error: unknown): boolean {
  const name = errorName(error);
  const text = error instanceof Error ? error.message : '';
  return (
    name === 'ResourceInUseException' || (name === 'InvalidRequestException' && /in progress/i.test(text))
  );
}

/** Commands and client, loaded with the first call. */
const lazily = () => import('../lazy/eks.ts');

/** Managed node groups of a cluster. Only `minSize` is ours, and `desiredSize` where it is below a new minimum: EKS refuses that. */
export function eksNodeGroups(client: () => Promise<EKSClient>, clusterName: string): SizedGroups {
  async function look(nodegroupName: string): Promise<Nodegroup | undefined> {
    const { DescribeNodegroupCommand } = await lazily();
    const eks = await client();
    try {
      const answer = await explained('eks:DescribeNodegroup', `${clusterName}/${nodegroupName}`, () =>
        eks.send(new DescribeNodegroupCommand({ clusterName, nodegroupName })),
      );
      return answer.nodegroup;
    } catch (error) {
      if (errorName(error) === 'ResourceNotFoundException') return undefined;
      throw error;
    }
  }

  return {
    async size(group) {
      const { minSize, maxSize, desiredSize } = (await look(group))?.scalingConfig ?? {};
      if (minSize === undefined || maxSize === undefined) return undefined;
      return { min: minSize, desired: desiredSize ?? minSize, max: maxSize };
    },
    async setMin(group, min) {
      // Read immediately before: the autoscaler moves what is kept at any time.
      const found = await look(group);
      if (!found)
        throw new EpsilonError(
          'GROUP_NOT_FOUND',
          `There is no node group ${group} in ${clusterName} ("scaling.nodeGroups" in infra/config).`,
          { exitCode: exitCodes.backend },
        );
      if (found.status !== 'ACTIVE') return 'held';
      const desired = found.scalingConfig?.desiredSize ?? 0;
      const { UpdateNodegroupConfigCommand } = await lazily();
      const eks = await client();
      const scalingConfig = { minSize: min, ...(min > desired ? { desiredSize: min } : {}) };
      try {
        await explained('eks:UpdateNodegroupConfig', `${clusterName}/${group}`, () =>
          eks.send(new UpdateNodegroupConfigCommand({ clusterName, nodegroupName: group, scalingConfig })),
        );
        return 'set';
      } catch (error) {
        if (isUnderWay(error)) return 'held';
        throw error;
      }
    },
  };
}
