import {
  type BatchClient,
  type ComputeEnvironmentDetail,
  DescribeComputeEnvironmentsCommand,
  DescribeJobQueuesCommand,
  UpdateComputeEnvironmentCommand,
} from '@aws-sdk/client-batch';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { SizedGroups } from '../../ports/serving/sized-groups.ts';
import { explained } from '../errors/service-errors.ts';

/** Batch refuses a change of an environment while another one is under way. */
const isUnderWay = (error: unknown) =>
  error instanceof Error &&
  error.name === 'ClientException' &&
  /being (modified|updated)|in the process of|UPDATING/i.test(error.message);

/** vCPU of the first compute environment of queues, which are named by what infrastructure calls them. Only `minvCpus` is ours. */
export function batchQueueVcpus(client: BatchClient, queues: Readonly<Record<string, string>>): SizedGroups {
  async function look(group: string): Promise<ComputeEnvironmentDetail | undefined> {
    const queue = Object.hasOwn(queues, group) ? queues[group] : undefined;
    if (queue === undefined) return undefined;
    const { jobQueues = [] } = await explained('batch:DescribeJobQueues', queue, () =>
      client.send(new DescribeJobQueuesCommand({ jobQueues: [queue] })),
    );
    const environment = jobQueues[0]?.computeEnvironmentOrder?.[0]?.computeEnvironment;
    if (environment === undefined) return undefined;
    const { computeEnvironments = [] } = await explained(
      'batch:DescribeComputeEnvironments',
      environment,
      () => client.send(new DescribeComputeEnvironmentsCommand({ computeEnvironments: [environment] })),
    );
    return computeEnvironments[0];
  }

  return {
    async size(group) {
      const { minvCpus, maxvCpus, desiredvCpus } = (await look(group))?.computeResources ?? {};
      if (maxvCpus === undefined) return undefined;
      const min = minvCpus ?? 0;
      return { min, desired: Math.max(min, desiredvCpus ?? 0), max: maxvCpus };
    },
    async setMin(group, min) {
      const found = await look(group);
      if (!found)
        throw new EpsilonError('GROUP_NOT_FOUND', `There is no queue ${group} in Batch.`, {
          exitCode: exitCodes.backend,
        });
      if (found.status !== 'VALID') return 'held';
      const computeEnvironment = found.computeEnvironmentArn ?? found.computeEnvironmentName ?? '';
      try {
        // Batch raises what it keeps to a new minimum by itself.
        await explained('batch:UpdateComputeEnvironment', computeEnvironment, () =>
          client.send(
            new UpdateComputeEnvironmentCommand({ computeEnvironment, computeResources: { minvCpus: min } }),
          ),
        );
        return 'set';
      } catch (error) {
        if (isUnderWay(error)) return 'held';
        throw error;
      }
    },
  };
}
