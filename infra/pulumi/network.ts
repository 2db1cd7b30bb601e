import { LogGroup } from '@pulumi/aws/cloudwatch/logGroup.js';
import { DefaultSecurityGroup } from '@pulumi/aws/ec2/defaultSecurityGroup.js';
import { Eip } from '@pulumi/aws/ec2/eip.js';
import { FlowLog } from '@pulumi/aws/ec2/flowLog.js';
import { InternetGateway } from '@pulumi/aws/ec2/internetGateway.js';
import { NatGateway } from '@pulumi/aws/ec2/natGateway.js';
import { Route } from '@pulumi/aws/ec2/route.js';
import { RouteTable } from '@pulumi/aws/ec2/routeTable.js';
import { RouteTableAssociation } from '@pulumi/aws/ec2/routeTableAssociation.js';
import { Subnet } from '@pulumi/aws/ec2/subnet.js';
import { Vpc } from '@pulumi/aws/ec2/vpc.js';
import { interpolate, type Output } from '@pulumi/pulumi';
import { createIdentity, trustService } from './identity.ts';
import type { Keys } from './keys.ts';
import type { Site } from './site.ts';

/** The network: three private subnets for everything that works, three public ones for NAT and load balancers. */
export interface Network {
  readonly vpc: Vpc;
  readonly privateSubnetIds: Output<string>[];
  readonly privateRouteTableIds: Output<string>[];
  /** Routes out of the private subnets: nodes cannot join before they exist. */
  readonly exits: readonly Route[];
}

function recordTraffic(site: Site, vpc: Vpc, keys: Keys): void {
  const name = site.name('flow');
  const group = new LogGroup(
    name,
    { name: `/epsilon/${site.config.environment}/flow`, retentionInDays: 365, kmsKeyId: keys.logs.arn },
    site.here,
  );
  const writer = createIdentity(site, 'flow-log', {
    trust: [trustService(site, 'vpc-flow-logs.amazonaws.com')],
    allow: [
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
        Resource: interpolate`${group.arn}:*`,
      },
    ],
  });
  new FlowLog(
    name,
    { vpcId: vpc.id, trafficType: 'ALL', logDestination: group.arn, iamRoleArn: writer.arn },
    { ...site.here, dependsOn: [...writer.ready] },
  );
}

function createGateways(site: Site, vpc: Vpc, publicSubnets: readonly Subnet[]): NatGateway[] {
  const name = site.name('public');
  const internet = new InternetGateway(name, { vpcId: vpc.id }, site.here);
  const table = new RouteTable(name, { vpcId: vpc.id }, site.here);
  const route = new Route(
    name,
    { routeTableId: table.id, destinationCidrBlock: '0.0.0.0/0', gatewayId: internet.id },
    site.here,
  );
  return publicSubnets.flatMap((subnet, index) => {
    new RouteTableAssociation(`${name}-${index}`, { routeTableId: table.id, subnetId: subnet.id }, site.here);
    if (index >= site.config.network.natGateways) return [];
    const address = new Eip(site.name(`nat-${index}`), { domain: 'vpc' }, site.here);
    return new NatGateway(
      site.name(`nat-${index}`),
      { allocationId: address.id, subnetId: subnet.id },
      { ...site.here, dependsOn: [route] },
    );
  });
}

/** Creates VPC, subnets, routes and flow log. Subnet ranges: /19 private at 0, 32, 64; /24 public at 96, 97, 98. */
export function createNetwork(site: Site, keys: Keys): Network {
  const { cidr, zones } = site.config.network;
  const prefix = cidr.split('.').slice(0, 2).join('.');
  const vpc = new Vpc(
    site.name('vpc'),
    { cidrBlock: cidr, enableDnsHostnames: true, enableDnsSupport: true, tags: { Name: site.name('vpc') } },
    site.here,
  );
  // The default group allows everything inside it; without rules nothing can use it by accident.
  new DefaultSecurityGroup(site.name('default'), { vpcId: vpc.id, ingress: [], egress: [] }, site.here);
  recordTraffic(site, vpc, keys);
  const subnet = (kind: string, index: number, block: string, role: string) =>
    new Subnet(
      site.name(`${kind}-${index}`),
      {
        vpcId: vpc.id,
        cidrBlock: block,
        availabilityZone: `${site.config.region}${zones[index]}`,
        mapPublicIpOnLaunch: false,
        tags: { Name: site.name(`${kind}-${zones[index]}`), [`kubernetes.io/role/${role}`]: '1' },
      },
      site.here,
    );
  const open = zones.map((_, index) => subnet('public', index, `${prefix}.${96 + index}.0/24`, 'elb'));
  const closed = zones.map((_, index) =>
    subnet('private', index, `${prefix}.${32 * index}.0/19`, 'internal-elb'),
  );
  const gateways = createGateways(site, vpc, open);
  const tables = closed.map((subnet, index) => {
    const name = site.name(`private-${index}`);
    const table = new RouteTable(name, { vpcId: vpc.id }, site.here);
    new RouteTableAssociation(name, { routeTableId: table.id, subnetId: subnet.id }, site.here);
    return table;
  });
  const exits = tables.flatMap((table, index) => {
    const gateway = gateways[index] ?? gateways[0];
    const name = site.name(`private-${index}`);
    return gateway
      ? new Route(
          name,
          { routeTableId: table.id, destinationCidrBlock: '0.0.0.0/0', natGatewayId: gateway.id },
          site.here,
        )
      : [];
  });
  return {
    vpc,
    privateSubnetIds: closed.map(({ id }) => id),
    privateRouteTableIds: tables.map(({ id }) => id),
    exits,
  };
}
