import type { ECSClient } from '@aws-sdk/client-ecs';
import type { Place } from '../../training/run.ts';
import { explained } from '../errors/service-errors.ts';
import { DescribeContainerInstancesCommand } from '../lazy/ecs.ts';

/** Instances that one DescribeContainerInstances takes. */
const mostInstances = 100;

/** Instances a process remembers: one never changes its type or zone. */
const mostRemembered = 5_000;

/** The cluster in the ARN of a container instance; undefined in the old form, which names none. */
const clusterOf = (arn: string) => /:container-instance\/([^/]+)\/[^/]+$/.exec(arn)?.[1];

/** Finds type and zone of ECS container instances, each asked for once; those that are gone are left out. */
export function createInstancePlaces(ecs: ECSClient) {
  const known = new Map<string, Place>();

  async function look(cluster: string, containerInstances: string[]): Promise<void> {
    const { containerInstances: found = [] } = await explained(
      'ecs:DescribeContainerInstances',
      cluster,
      () => ecs.send(new DescribeContainerInstancesCommand({ cluster, containerInstances })),
    );
    for (const { containerInstanceArn, attributes = [] } of found) {
      const of = new Map(attributes.map(({ name, value }) => [name, value]));
      const [instanceType, zone] = [of.get('ecs.instance-type'), of.get('ecs.availability-zone')];
      if (containerInstanceArn && instanceType && zone)
        known.set(containerInstanceArn, { instanceType, zone });
    }
  }

  return async (arns: readonly string[]): Promise<ReadonlyMap<string, Place>> => {
    if (known.size > mostRemembered) known.clear();
    const asked = [...new Set(arns)].filter((arn) => !known.has(arn));
    for (const [cluster, own] of Map.groupBy(asked, clusterOf))
      for (let at = 0; cluster !== undefined && at < own.length; at += mostInstances)
        await look(cluster, own.slice(at, at + mostInstances));
    return new Map(
      arns
        .flatMap((arn) => [[arn, known.get(arn)] as const])
        .filter((one): one is [string, Place] => one[1] !== undefined),
    );
  };
}
