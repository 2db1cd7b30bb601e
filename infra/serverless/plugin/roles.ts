import { functionIds, machineIds } from '../../../lib/config/logical-ids.ts';
import {
  arnOf,
  type Declared,
  eventFunctions,
  invalid,
  type Resource,
  type Resources,
  ref,
  type Statements,
  type Tree,
} from './declared.ts';

import { deniedHome } from './place.ts';

const version = '2012-10-17';

/** Who may take a role; `ofThisAccount` keeps a service from acting in another account's name. */
function trust(service: string, { ofThisAccount }: { readonly ofThisAccount: boolean }): Tree {
  return {
    Version: version,
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: service },
        Action: 'sts:AssumeRole',
        ...(ofThisAccount && {
          Condition: { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } },
        }),
      },
    ],
  };
}

/** Inline policies of a role, by their names. */
function policies(statements: Readonly<Record<string, Statements>>): Tree[] {
  return Object.entries(statements).map(([name, list]) => ({
    PolicyName: name,
    PolicyDocument: { Version: version, Statement: list },
  }));
}

/** What every function may do: write its own log and traces, and decrypt environment and table. */
function ofEveryFunction(key: string): Statements {
  return [
    {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: arnOf(functionIds(key).logGroup),
    },
    { Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], Resource: '*' },
    { Effect: 'Allow', Action: 'kms:Decrypt', Resource: ref('DataKeyArn') },
  ];
}

/** What a function that rules or schedules invoke may do besides: leave what it could not do in the queue. */
const ofEventFunctions: Statements = [
  { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf('FailedInvocations') },
];

/** What every machine may do: arrange the delivery of its log, and write traces. */
const ofEveryMachine: Statements = [
  {
    Effect: 'Allow',
    Action: [
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
    ],
    Resource: '*',
  },
  {
    Effect: 'Allow',
    Action: [
      'xray:PutTraceSegments',
      'xray:PutTelemetryRecords',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
    ],
    Resource: '*',
  },
];

/**
 * A role of the service: in a path of its own, so that who deploys touches no role of infrastructure, and with the boundary that
 * infrastructure sets, without which it may not be made (infra/pulumi/delivery/deploy.ts).
 */
export function role(
  environment: string,
  { service, ofThisAccount }: { readonly service: string; readonly ofThisAccount: boolean },
  statements: Record<string, Statements>,
): Resource {
  const boundary = `policy/epsilon-${environment}-service-boundary`;
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Path: `/epsilon/${environment}/`,
      PermissionsBoundary: {
        'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:${boundary}`,
      },
      AssumeRolePolicyDocument: trust(service, { ofThisAccount }),
      Policies: policies(statements),
    },
  };
}

/** Groups whose functions work with jobs of the cluster. */
const jobGroups: ReadonlySet<string> = new Set(['job-submitters', 'job-keepers', 'job-reconcilers']);

function functionRole(key: string, own: Statements, declared: Declared): Resource {
  const onFailure = eventFunctions(declared).includes(key) ? ofEventFunctions : [];
  const { cluster: group, network } = declared.functions[key] ?? {};
  const inNetwork =
    network && declared.cluster ? { network: declared.cluster.policies['network'] ?? [] } : {};
  const onCluster = group === undefined ? inNetwork : declared.cluster?.policies;
  const onAirflow = group !== undefined && jobGroups.has(group) ? declared.airflow : {};
  return role(
    declared.environment,
    { service: 'lambda.amazonaws.com', ofThisAccount: false },
    {
      [key]: [...ofEveryFunction(key), ...onFailure, ...own],
      ...(declared.home !== undefined && { home: deniedHome(declared.home) }),
      ...onCluster,
      ...onAirflow,
      ...(key === 'traceRun' ? declared.tracing : {}),
    },
  );
}

/**
 * A role for every function and machine: what every one of its kind may do, and what its area's file in roles/ says of
 * it. Error `SERVICE_INVALID` for one that no file mentions, and for an entry that belongs to none.
 */
export function roles(declared: Declared): Resources {
  const { functions, machines, statements } = declared;
  const of = (key: string): Statements => {
    const own = statements[key];
    if (own === undefined)
      throw invalid(
        `No file in infra/serverless/roles says what "${key}" may do; add "${key}:" with its statements ([] for none) to the file of its area.`,
      );
    return own;
  };
  for (const key of Object.keys(functions)) {
    if (machines[key] !== undefined)
      throw invalid(
        `"${key}" is a function and a state machine; statements could not say which one they are for.`,
      );
  }
  for (const key of Object.keys(statements)) {
    if (functions[key] === undefined && machines[key] === undefined)
      throw invalid(
        `infra/serverless/roles has statements for "${key}", which is no function and no machine.`,
      );
  }
  return Object.fromEntries([
    ...Object.keys(functions).map((key) => [functionIds(key).role, functionRole(key, of(key), declared)]),
    ...Object.entries(machines).map(([key, { id }]) => [
      machineIds(id).role,
      role(
        declared.environment,
        { service: 'states.amazonaws.com', ofThisAccount: true },
        { [key]: [...of(key), ...ofEveryMachine] },
      ),
    ]),
  ]) as Resources;
}
