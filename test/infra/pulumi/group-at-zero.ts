import { ofType, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { at } from '../../../infra/pulumi/policy/statements.ts';

/** What the cluster autoscaler knows of a node that a group would make, while the group has none. */
export interface NodeToCome {
  readonly group: string;
  readonly minSize: number;
  readonly maxSize: number;
  readonly instanceTypes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
  /** Amounts beside CPU, memory, pods and GPU, which it reads from the instance type. */
  readonly resources: Readonly<Record<string, string>>;
}

const template = 'k8s.io/cluster-autoscaler/node-template/';

const effects: Readonly<Record<string, string>> = { NO_SCHEDULE: 'NoSchedule', NO_EXECUTE: 'NoExecute' };

function below(tags: Readonly<Record<string, string>>, part: string): Record<string, string> {
  const prefix = `${template}${part}/`;
  return Object.fromEntries(
    Object.entries(tags).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    ),
  );
}

/** Managed groups: labels, taints and tags as eks:DescribeNodegroup tells them. */
function ofManaged({ inputs }: Registered): NodeToCome {
  const taints = (inputs['taints'] ?? []) as { key: string; value: string; effect: string }[];
  return {
    group: String(inputs['nodeGroupName']),
    minSize: Number(at(inputs, 'scalingConfig.minSize')),
    maxSize: Number(at(inputs, 'scalingConfig.maxSize')),
    instanceTypes: inputs['instanceTypes'] as string[],
    labels: (inputs['labels'] ?? {}) as Record<string, string>,
    taints: taints.map((taint) => ({ ...taint, effect: effects[taint.effect] ?? taint.effect })),
    resources: below((inputs['tags'] ?? {}) as Record<string, string>, 'resources'),
  };
}

/** Groups of our own: everything from their tags, and found by the autoscaler only if they carry its own two. */
function ofOwn({ inputs, name }: Registered): NodeToCome {
  const list = (inputs['tags'] ?? []) as { key: string; value: string }[];
  const tags = Object.fromEntries(list.map(({ key, value }) => [key, value]));
  if (tags['k8s.io/cluster-autoscaler/enabled'] !== 'true') throw new Error(`${name} cannot be found`);
  return {
    group: name,
    minSize: Number(inputs['minSize']),
    maxSize: Number(inputs['maxSize']),
    instanceTypes: (
      at(inputs, 'mixedInstancesPolicy.launchTemplate.overrides') as { instanceType: string }[]
    ).map(({ instanceType }) => instanceType),
    labels: below(tags, 'label'),
    taints: Object.entries(below(tags, 'taint')).map(([key, value]) => {
      const [word = '', effect = ''] = value.split(':');
      return { key, value: word, effect };
    }),
    resources: below(tags, 'resources'),
  };
}

/** The nodes to come of every group of a platform. */
export function nodesToCome(resources: readonly Registered[]): NodeToCome[] {
  return [
    ...ofType(resources, 'eks/nodeGroup:NodeGroup').map(ofManaged),
    ...ofType(resources, 'autoscaling/group:Group').map(ofOwn),
  ];
}
