import { interpolate } from '@pulumi/pulumi';
import type { Site, Statement } from './site.ts';

const describe = [
  'ec2:DescribeAccountAttributes',
  'ec2:DescribeAddresses',
  'ec2:DescribeAvailabilityZones',
  'ec2:DescribeInstances',
  'ec2:DescribeInternetGateways',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeRouteTables',
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeSubnets',
  'ec2:DescribeTags',
  'ec2:DescribeVpcs',
  'elasticloadbalancing:DescribeListenerAttributes',
  'elasticloadbalancing:DescribeListenerCertificates',
  'elasticloadbalancing:DescribeListeners',
  'elasticloadbalancing:DescribeLoadBalancerAttributes',
  'elasticloadbalancing:DescribeLoadBalancers',
  'elasticloadbalancing:DescribeRules',
  'elasticloadbalancing:DescribeSSLPolicies',
  'elasticloadbalancing:DescribeTags',
  'elasticloadbalancing:DescribeTargetGroupAttributes',
  'elasticloadbalancing:DescribeTargetGroups',
  'elasticloadbalancing:DescribeTargetHealth',
  'acm:ListCertificates',
];

const change = [
  'elasticloadbalancing:AddListenerCertificates',
  'elasticloadbalancing:DeleteListener',
  'elasticloadbalancing:DeleteLoadBalancer',
  'elasticloadbalancing:DeleteRule',
  'elasticloadbalancing:DeleteTargetGroup',
  'elasticloadbalancing:DeregisterTargets',
  'elasticloadbalancing:ModifyListener',
  'elasticloadbalancing:ModifyListenerAttributes',
  'elasticloadbalancing:ModifyLoadBalancerAttributes',
  'elasticloadbalancing:ModifyRule',
  'elasticloadbalancing:ModifyTargetGroup',
  'elasticloadbalancing:ModifyTargetGroupAttributes',
  'elasticloadbalancing:RegisterTargets',
  'elasticloadbalancing:RemoveListenerCertificates',
  'elasticloadbalancing:RemoveTags',
  'elasticloadbalancing:SetSecurityGroups',
  'elasticloadbalancing:SetSubnets',
];

/** What the load balancer controller may do: create what carries this cluster's tag, change only what carries it. */
export function loadBalancerStatements(site: Site, clusterName: string): Statement[] {
  const arn = (service: string, resource: string) =>
    interpolate`arn:aws:${service}:${site.config.region}:${site.accountId}:${resource}`;
  const tag = 'elbv2.k8s.aws/cluster';
  const balancers = arn('elasticloadbalancing', '*');
  const groups = arn('ec2', 'security-group/*');
  const owned = { StringEquals: { [`aws:ResourceTag/${tag}`]: clusterName } };
  const requested = { StringEquals: { [`aws:RequestTag/${tag}`]: clusterName } };
  return [
    // None of the describe calls can be restricted to a resource.
    { Effect: 'Allow', Action: describe, Resource: '*' },
    { Effect: 'Allow', Action: 'acm:DescribeCertificate', Resource: arn('acm', 'certificate/*') },
    { Effect: 'Allow', Action: 'ec2:CreateSecurityGroup', Resource: arn('ec2', 'vpc/*') },
    { Effect: 'Allow', Action: 'ec2:CreateSecurityGroup', Resource: groups, Condition: requested },
    {
      Effect: 'Allow',
      Action: 'ec2:CreateTags',
      Resource: groups,
      Condition: { StringEquals: { ...requested.StringEquals, 'ec2:CreateAction': 'CreateSecurityGroup' } },
    },
    {
      Effect: 'Allow',
      Action: [
        'ec2:AuthorizeSecurityGroupIngress',
        'ec2:RevokeSecurityGroupIngress',
        'ec2:DeleteSecurityGroup',
      ],
      Resource: groups,
      Condition: owned,
    },
    {
      Effect: 'Allow',
      // Targets' groups belong to the cluster, not to the controller; EKS tags them.
      Action: ['ec2:AuthorizeSecurityGroupIngress', 'ec2:RevokeSecurityGroupIngress'],
      Resource: groups,
      Condition: { StringEquals: { 'aws:ResourceTag/aws:eks:cluster-name': clusterName } },
    },
    {
      Effect: 'Allow',
      Action: [
        'elasticloadbalancing:CreateLoadBalancer',
        'elasticloadbalancing:CreateTargetGroup',
        'elasticloadbalancing:CreateListener',
        'elasticloadbalancing:CreateRule',
        'elasticloadbalancing:AddTags',
      ],
      Resource: balancers,
      Condition: requested,
    },
    { Effect: 'Allow', Action: change, Resource: balancers, Condition: owned },
  ];
}
