import { DefaultSecurityGroup } from '@pulumi/aws/ec2/defaultSecurityGroup.js';
import { SecurityGroup } from '@pulumi/aws/ec2/securityGroup.js';
import { Subnet } from '@pulumi/aws/ec2/subnet.js';
import { Vpc } from '@pulumi/aws/ec2/vpc.js';
import { ParameterGroup } from '@pulumi/aws/rds/parameterGroup.js';
import { SubnetGroup } from '@pulumi/aws/rds/subnetGroup.js';
import { SecurityGroupIngressRule } from '@pulumi/aws/vpc/securityGroupIngressRule.js';
import type { Output } from '@pulumi/pulumi';
import { databaseParameters } from './database.ts';
import type { Site } from './site.ts';

/** What a restored database is put into, in the disaster recovery region. */
export interface Landing {
  readonly subnetGroup: Output<string>;
  readonly parameterGroup: Output<string>;
  readonly securityGroupId: Output<string>;
}

/**
 * Creates where a database is restored to: a network of its own with private subnets and no way out, and the settings that belong to a
 * region. It is there before it is needed, because a restore fails where a group that it names does not exist.
 */
export function createLanding(site: Site): Landing {
  const { network, disasterRecoveryRegion: region } = site.config;
  const prefix = network.cidr.split('.').slice(0, 2).join('.');
  const name = site.name('restored');
  const vpc = new Vpc(
    name,
    {
      cidrBlock: network.cidr,
      enableDnsHostnames: true,
      enableDnsSupport: true,
      tags: { Name: name },
    },
    site.there,
  );
  new DefaultSecurityGroup(name, { vpcId: vpc.id, ingress: [], egress: [] }, site.there);
  const subnets = network.zones.map(
    (zone, index) =>
      new Subnet(
        `${name}-${index}`,
        {
          vpcId: vpc.id,
          cidrBlock: `${prefix}.${32 * index}.0/19`,
          availabilityZone: `${region}${zone}`,
          mapPublicIpOnLaunch: false,
          tags: { Name: `${name}-${zone}` },
        },
        site.there,
      ),
  );
  const group = new SecurityGroup(
    name,
    { name, vpcId: vpc.id, description: 'restored databases of epsilon' },
    site.there,
  );
  new SecurityGroupIngressRule(
    name,
    {
      securityGroupId: group.id,
      cidrIpv4: network.cidr,
      ipProtocol: 'tcp',
      fromPort: 5432,
      toPort: 5432,
      description: 'port 5432 from inside the VPC',
    },
    site.there,
  );
  return {
    subnetGroup: new SubnetGroup(name, { name, subnetIds: subnets.map(({ id }) => id) }, site.there).name,
    parameterGroup: new ParameterGroup(
      name,
      { name, family: 'postgres15', parameters: databaseParameters },
      site.there,
    ).name,
    securityGroupId: group.id,
  };
}
