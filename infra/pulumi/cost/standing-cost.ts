import { priceList, priceOf } from '../../../lib/cost/prices.ts';
import { at } from '../policy/statements.ts';
import { ofType, type Registered } from './evaluate.ts';

const { hour, month, hoursPerMonth: hours } = priceList;

/** What one kind of thing costs a month while it stands, US dollars. */
export interface CostLine {
  readonly what: string;
  readonly usd: number;
}

/** Types that cost by the hour or month they exist, or hold something that does; every other costs by use or nothing. */
export const costly = [
  'eks/cluster:Cluster',
  'eks/nodeGroup:NodeGroup',
  'autoscaling/group:Group',
  'batch/computeEnvironment:ComputeEnvironment',
  'rds/instance:Instance',
  'elasticache/replicationGroup:ReplicationGroup',
  'ec2/natGateway:NatGateway',
  'ec2/eip:Eip',
  'ec2/vpcEndpoint:VpcEndpoint',
  'kms/key:Key',
  'secretsmanager/secret:Secret',
] as const;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Nodes a group keeps when nothing asks for more: what it was made with, but for training, which goes back to 0. */
function nodesOf({ inputs }: Registered): { count: number; usdPerHour: number } {
  const [first] = inputs['instanceTypes'] as string[];
  const share = inputs['capacityType'] === 'SPOT' ? priceList.spotShare : 1;
  return {
    count: Number(at(inputs, 'scalingConfig.desiredSize')),
    usdPerHour: priceOf(priceList.instanceHour, String(first)) * share,
  };
}

/** Type that training's vCPU are priced by, and how many it has. */
const trainingType = { name: 'c5.4xlarge', vcpus: 16 } as const;

/** What training keeps although nothing trains: nothing, as long as every minimum is 0. */
function idleCost(resources: readonly Registered[]): number {
  const shareOf = (isSpot: boolean) => (isSpot ? priceList.spotShare : 1);
  const groups = ofType(resources, 'autoscaling/group:Group').map(({ inputs }) => {
    const type = String(at(inputs, 'mixedInstancesPolicy.launchTemplate.overrides.0.instanceType'));
    const onDemand = at(
      inputs,
      'mixedInstancesPolicy.instancesDistribution.onDemandPercentageAboveBaseCapacity',
    );
    return Number(inputs['minSize']) * priceOf(priceList.instanceHour, type) * shareOf(onDemand === 0);
  });
  const vcpuHour = priceOf(priceList.instanceHour, trainingType.name) / trainingType.vcpus;
  const queues = ofType(resources, 'batch/computeEnvironment:ComputeEnvironment').map(
    ({ inputs }) =>
      Number(at(inputs, 'computeResources.minVcpus')) *
      vcpuHour *
      shareOf(at(inputs, 'computeResources.type') === 'SPOT'),
  );
  return (sum(groups) + sum(queues)) * hours;
}

function computeLines(resources: readonly Registered[]): CostLine[] {
  const groups = ofType(resources, 'eks/nodeGroup:NodeGroup').map((group) => ({
    workload: String(at(group.inputs, 'labels.workload')),
    ...nodesOf(group),
  }));
  const disks = ofType(resources, 'ec2/launchTemplate:LaunchTemplate').map(({ inputs }) =>
    Number(at(inputs, 'blockDeviceMappings.0.ebs.volumeSize')),
  );
  const nodes = sum(groups.map(({ count }) => count));
  return [
    ...[...Map.groupBy(groups, ({ workload }) => workload)].map(([workload, of]) => ({
      what: `nodes of \`${workload}\``,
      usd: sum(of.map(({ count, usdPerHour }) => count * usdPerHour * hours)),
    })),
    { what: 'disks of those nodes', usd: nodes * Math.max(...disks) * month.nodeGiB },
    { what: 'training groups and Batch while nothing trains', usd: idleCost(resources) },
  ];
}

function dataLines(resources: readonly Registered[]): CostLine[] {
  const database = ofType(resources, 'rds/instance:Instance').map(({ inputs }) => {
    const price = priceOf(priceList.databaseHour, String(inputs['instanceClass']));
    const zone = price * hours + Number(inputs['allocatedStorage']) * month.databaseGiB;
    return inputs['multiAz'] === true ? zone * 2 : zone;
  });
  const cache = ofType(resources, 'elasticache/replicationGroup:ReplicationGroup').map(
    ({ inputs }) =>
      priceOf(priceList.cacheHour, String(inputs['nodeType'])) * hours * Number(inputs['numCacheClusters']),
  );
  return [
    { what: 'database with its storage', usd: sum(database) },
    { what: 'cache', usd: sum(cache) },
  ];
}

function networkLines(resources: readonly Registered[]): CostLine[] {
  const gateways = ofType(resources, 'ec2/natGateway:NatGateway').length;
  const addresses = ofType(resources, 'ec2/eip:Eip').length;
  const zones = sum(
    ofType(resources, 'ec2/vpcEndpoint:VpcEndpoint').map(({ inputs }) =>
      inputs['vpcEndpointType'] === 'Interface' ? (inputs['subnetIds'] as unknown[]).length : 0,
    ),
  );
  return [
    {
      what: 'NAT gateways and their addresses, without traffic',
      usd: (gateways * hour.natGateway + addresses * hour.publicAddress) * hours,
    },
    { what: 'addresses of AWS services in the network', usd: zones * hour.endpointZone * hours },
  ];
}

/** What a platform costs a month before anybody uses it, by the resources of the program. Error: a thing without a price. */
export function standingCost(resources: readonly Registered[]): CostLine[] {
  const clusters = ofType(resources, 'eks/cluster:Cluster').length;
  const keys = ofType(resources, 'kms/key:Key').length;
  const secrets = ofType(resources, 'secretsmanager/secret:Secret').length;
  return [
    { what: 'control plane of the cluster', usd: clusters * hour.cluster * hours },
    ...computeLines(resources),
    ...dataLines(resources),
    ...networkLines(resources),
    { what: 'keys and secrets', usd: keys * month.key + secrets * month.secret },
  ];
}
