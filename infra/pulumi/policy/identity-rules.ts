import type { Rule } from './rule.ts';
import { type SeenStatement, statementsOf } from './statements.ts';

/** Calls AWS defines without a resource; beside describe and list calls the only ones allowed on `*`. */
const withoutResource = new Set([
  'cloudwatch:GetMetricData',
  'ecr:GetAuthorizationToken',
  'ec2:GetInstanceTypesFromInstanceRequirements',
  'cloudformation:ValidateTemplate',
  'kms:CreateKey',
  // A task token is all that an answer names.
  'states:SendTaskFailure',
  'states:SendTaskHeartbeat',
  'states:SendTaskSuccess',
]);

function isResourceFree(action: string): boolean {
  return withoutResource.has(action) || /^[a-z0-9]+:(Describe|List)[A-Za-z]+$/.test(action);
}

/** Managed policies that EKS, ECS and RDS demand for roles they use themselves; no other is allowed. */
const demandedByAws = new Set([
  'AmazonEKSClusterPolicy',
  'AmazonEKSWorkerNodePolicy',
  'AmazonEC2ContainerRegistryPullOnly',
  'AmazonEKS_CNI_Policy',
  'AmazonEBSCSIDriverPolicy',
  'AmazonRDSEnhancedMonitoringRole',
  'AmazonEC2ContainerServiceforEC2Role',
  'AmazonECSTaskExecutionRolePolicy',
]);

function wildcards(statement: SeenStatement): string[] {
  if (statement.effect !== 'Allow') return [];
  const loose = statement.actions.filter((action) => action.includes('*'));
  const free = statement.resources.includes('*')
    ? statement.actions.filter((action) => !isResourceFree(action))
    : [];
  return [
    ...loose.map((action) => `allows ${action}`),
    ...free.map((action) => `allows ${action} on every resource`),
  ];
}

function isWorld(principal: unknown): boolean {
  return principal === '*' || (principal as { AWS?: unknown } | undefined)?.AWS === '*';
}

function openTrust(statement: SeenStatement): string[] {
  if (statement.effect !== 'Allow') return [];
  if (isWorld(statement.principal)) return ['trusts everyone'];
  const principal = (statement.principal ?? {}) as Record<string, unknown>;
  const federated = String(principal['Federated'] ?? '');
  if (federated) return githubFaults(statement);
  const account = String(principal['AWS'] ?? '').endsWith(':root');
  const named = Object.values(statement.conditions).some((condition) => 'aws:PrincipalArn' in condition);
  return account && !named ? ['trusts the whole account'] : [];
}

function githubFaults(statement: SeenStatement): string[] {
  const exact = statement.conditions['StringEquals'] ?? {};
  const subject = String(exact['token.actions.githubusercontent.com:sub'] ?? '');
  return [
    ...(exact['token.actions.githubusercontent.com:aud'] === 'sts.amazonaws.com'
      ? []
      : ['has no exact audience']),
    ...(/^repo:[\w.-]+\/[\w.-]+:environment:\w+$/.test(subject) ? [] : ['has no exact subject']),
  ];
}

/** Rules about who may do what. */
export const identityRules: readonly Rule[] = [
  {
    name: 'no-wildcard-permission',
    description: 'no action with *, and * as resource only for calls that have none',
    types: ['aws:iam/rolePolicy:RolePolicy'],
    check: ({ props }) => statementsOf(props['policy']).flatMap(wildcards),
  },
  {
    name: 'trust-is-narrow',
    description: 'a role trusts named services, roles, or exactly one repository and environment',
    types: ['aws:iam/role:Role'],
    check: ({ props }) => statementsOf(props['assumeRolePolicy']).flatMap(openTrust),
  },
  {
    name: 'managed-policies-listed',
    description: 'only the managed policies AWS services demand for their own roles',
    types: ['aws:iam/rolePolicyAttachment:RolePolicyAttachment'],
    check: ({ props }) => {
      const name = String(props['policyArn']).split('/').at(-1) ?? '';
      return demandedByAws.has(name) ? [] : [`attaches ${name}`];
    },
  },
  {
    name: 'bucket-tls-only',
    description: 'every bucket policy refuses plain HTTP and allows nobody in the world',
    types: ['aws:s3/bucketPolicy:BucketPolicy'],
    check: ({ props }) => resourcePolicyFaults(statementsOf(props['policy'])),
  },
  {
    name: 'key-closed',
    description: 'no key may be used by everyone',
    types: ['aws:kms/key:Key'],
    check: ({ props }) =>
      statementsOf(props['policy'])
        .filter(({ effect, principal }) => effect === 'Allow' && isWorld(principal))
        .map(() => 'may be used by everyone'),
  },
  {
    name: 'topic-tls-only',
    description: 'every topic policy refuses plain HTTP and allows nobody in the world',
    types: ['aws:sns/topicPolicy:TopicPolicy'],
    check: ({ props }) => resourcePolicyFaults(statementsOf(props['policy'])),
  },
];

function resourcePolicyFaults(statements: readonly SeenStatement[]): string[] {
  const refusesHttp = statements.some(
    ({ effect, conditions }) => effect === 'Deny' && conditions['Bool']?.['aws:SecureTransport'] === 'false',
  );
  const world = statements.some(({ effect, principal }) => effect === 'Allow' && isWorld(principal));
  return [...(refusesHttp ? [] : ['accepts plain HTTP']), ...(world ? ['allows everyone'] : [])];
}
