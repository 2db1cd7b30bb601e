import type { ECSClient, Tag } from '@aws-sdk/client-ecs';
import type { Clock } from '../../ports/clock.ts';
import type { AttemptKey } from '../../ports/run-store.ts';
import { jobStageNames } from '../../training/stages.ts';
import { explainServiceError } from '../errors/service-errors.ts';
import { DescribeTasksCommand, ListContainerInstancesCommand, ListTasksCommand } from '../lazy/ecs.ts';
import type { BatchCalls } from './batch-calls.ts';
import { jobTags } from './submit-input.ts';

/** Tasks one DescribeTasks takes; ListTasks gives as many in a page. */
const mostTasks = 100;

/** Milliseconds for which the clusters behind the queues are kept: a replaced compute environment has another one. */
const clustersKept = 300_000;

/** What the search is made of. */
export interface InstanceJobsOptions {
  readonly calls: Pick<BatchCalls, 'queues' | 'environments'>;
  readonly ecs: ECSClient;
  readonly queueArns: readonly string[];
  readonly environment: string;
  readonly clock: Clock;
}

/** The attempt of an ECS task, from the tags its job gave it; undefined when it is not Epsilon's. */
function attemptOf(tags: readonly Tag[], environment: string): AttemptKey | undefined {
  const values = new Map(tags.map(({ key, value }) => [key, value]));
  const runId = values.get(jobTags.run);
  const stage = jobStageNames.find((name) => name === values.get(jobTags.stage));
  const attempt = Number(values.get(jobTags.attempt));
  const ours = values.get(jobTags.environment) === environment && Number.isInteger(attempt) && attempt > 0;
  return ours && runId && stage ? { runId, stage, attempt } : undefined;
}

/**
 * Finds the attempts whose jobs run on an EC2 instance. The instance's tasks are asked for in the ECS clusters behind our
 * queues, not the jobs in Batch: that costs the same few calls however many jobs run, and none of Batch's budget.
 */
export function createInstanceJobs({ calls, ecs, queueArns, environment, clock }: InstanceJobsOptions) {
  let kept: { readonly at: number; readonly clusters: readonly string[] } | undefined;

  const call = async <T>(action: string, resource: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explainServiceError(error, `ecs:${action}`, resource);
    }
  };

  async function clusters(): Promise<readonly string[]> {
    if (kept && clock.now() - kept.at < clustersKept) return kept.clusters;
    const queues = await calls.queues(queueArns);
    const environments = queues.flatMap(({ computeEnvironmentOrder = [] }) =>
      computeEnvironmentOrder.flatMap(({ computeEnvironment }) => computeEnvironment ?? []),
    );
    const found = environments.length === 0 ? [] : await calls.environments([...new Set(environments)]);
    kept = { at: clock.now(), clusters: found.flatMap(({ ecsClusterArn }) => ecsClusterArn ?? []) };
    return kept.clusters;
  }

  async function tasksOn(cluster: string, instanceId: string): Promise<string[]> {
    const { containerInstanceArns = [] } = await call('ListContainerInstances', cluster, () =>
      ecs.send(new ListContainerInstancesCommand({ cluster, filter: `ec2InstanceId in ['${instanceId}']` })),
    );
    const found: string[] = [];
    for (const containerInstance of containerInstanceArns) {
      let nextToken: string | undefined;
      do {
        const page = await call('ListTasks', cluster, () =>
          ecs.send(new ListTasksCommand({ cluster, containerInstance, ...(nextToken ? { nextToken } : {}) })),
        );
        found.push(...(page.taskArns ?? []));
        nextToken = page.nextToken;
      } while (nextToken);
    }
    return found;
  }

  async function attemptsIn(cluster: string, instanceId: string): Promise<AttemptKey[]> {
    const arns = await tasksOn(cluster, instanceId);
    const found: AttemptKey[] = [];
    for (let first = 0; first < arns.length; first += mostTasks) {
      const { tasks = [] } = await call('DescribeTasks', cluster, () =>
        ecs.send(
          new DescribeTasksCommand({
            cluster,
            tasks: arns.slice(first, first + mostTasks),
            include: ['TAGS'],
          }),
        ),
      );
      found.push(...tasks.flatMap(({ tags = [] }) => attemptOf(tags, environment) ?? []));
    }
    return found;
  }

  return async (instanceId: string): Promise<readonly AttemptKey[]> =>
    (await Promise.all((await clusters()).map((cluster) => attemptsIn(cluster, instanceId)))).flat();
}
