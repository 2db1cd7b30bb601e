import { SecurityGroup } from '@pulumi/aws/ec2/securityGroup.js';
import { VpcEndpoint, type VpcEndpointArgs } from '@pulumi/aws/ec2/vpcEndpoint.js';
import { SecurityGroupEgressRule } from '@pulumi/aws/vpc/securityGroupEgressRule.js';
import { SecurityGroupIngressRule } from '@pulumi/aws/vpc/securityGroupIngressRule.js';
import type { Output } from '@pulumi/pulumi';
import type { Network } from './network.ts';
import type { Site } from './site.ts';

/** AWS services reached without leaving the network; ECR needs two (API and layers). */
const interfaceServices = [
  'eks',
  'sts',
  'states',
  'events',
  'batch',
  'ssm',
  'secretsmanager',
  'sns',
  'logs',
  'ecr.api',
  'ecr.dkr',
  'xray',
  'kms',
  'ecs',
] as const;

/** A security group and one inbound port from the VPC. */
export function groupFor(site: Site, network: Network, part: string, port?: number): SecurityGroup {
  const name = site.name(part);
  const group = new SecurityGroup(
    name,
    { name, vpcId: network.vpc.id, description: `${part} of epsilon` },
    site.here,
  );
  if (port !== undefined) {
    new SecurityGroupIngressRule(
      name,
      {
        securityGroupId: group.id,
        cidrIpv4: site.config.network.cidr,
        ipProtocol: 'tcp',
        fromPort: port,
        toPort: port,
        description: `port ${port} from inside the VPC`,
      },
      site.here,
    );
  }
  return group;
}

/**
 * Security group of functions or of Batch instances: calls out over TLS, takes nothing in. Functions also reach the data stores; jobs,
 * which are foreign code, do not.
 */
export function createWorkerGroup(site: Site, network: Network, part: 'functions' | 'batch'): SecurityGroup {
  const group = groupFor(site, network, part);
  const out = (name: string, port: number, cidr: string) =>
    new SecurityGroupEgressRule(
      site.name(`${part}-${name}`),
      {
        securityGroupId: group.id,
        cidrIpv4: cidr,
        ipProtocol: 'tcp',
        fromPort: port,
        toPort: port,
        description: name,
      },
      site.here,
    );
  out('https', 443, '0.0.0.0/0');
  if (part === 'batch') return group;
  out('postgres', 5432, site.config.network.cidr);
  out('redis', 6379, site.config.network.cidr);
  return group;
}

/**
 * Creates the interface endpoints, in as many zones as the settings say, and the gateways for S3 and DynamoDB, which are free. The one
 * for private APIs is always there, because jobs on Batch get their credentials through it, and in one zone, because each costs as much
 * a day as a third of a night's requests (docs/batch.md). Returns its id.
 */
export function createEndpoints(site: Site, network: Network): Output<string> {
  const { endpointZones } = site.config.network;
  const service = (name: string) => `com.amazonaws.${site.config.region}.${name}`;
  const make = (name: string, more: Partial<VpcEndpointArgs>) =>
    new VpcEndpoint(
      site.name(`endpoint-${name}`),
      { vpcId: network.vpc.id, serviceName: service(name), ...more },
      site.here,
    );
  for (const name of ['s3', 'dynamodb'])
    make(name, { vpcEndpointType: 'Gateway', routeTableIds: network.privateRouteTableIds });
  const group = groupFor(site, network, 'endpoints', 443);
  const privately = (name: string, zones: number) =>
    make(name, {
      vpcEndpointType: 'Interface',
      privateDnsEnabled: true,
      subnetIds: network.privateSubnetIds.slice(0, zones),
      securityGroupIds: [group.id],
    });
  if (endpointZones > 0) for (const name of interfaceServices) privately(name, endpointZones);
  return privately('execute-api', 1).id;
}
