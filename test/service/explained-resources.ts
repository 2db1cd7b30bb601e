/** Why a statement of a role names no resource. */
export interface ExplainedStar {
  readonly actions: readonly string[];
  readonly reason: string;
}

/** Every action that roles have on `*`; AWS's service authorization reference knows no resource type for it. */
export const explainedStars: readonly ExplainedStar[] = [
  {
    actions: [
      'xray:PutTraceSegments',
      'xray:PutTelemetryRecords',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
    ],
    reason: 'X-Ray has no resource for segments, telemetry and sampling',
  },
  {
    actions: ['states:SendTaskSuccess', 'states:SendTaskFailure', 'states:SendTaskHeartbeat'],
    reason: 'a task is named by its token, which nobody can guess and only sealed records hold',
  },
  {
    actions: [
      'batch:DescribeComputeEnvironments',
      'batch:DescribeJobDefinitions',
      'batch:DescribeJobQueues',
      'batch:DescribeJobs',
      'batch:ListJobs',
    ],
    reason: 'Batch authorizes looking for all of its things at once',
  },
  {
    actions: [
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
    ],
    reason: 'how Step Functions arranges the delivery of its logs; deliveries have no resource',
  },
  {
    actions: ['s3:CreateJob'],
    reason: 'a job of S3 has no name before it is made; a condition allows replication alone',
  },
  {
    actions: ['ce:GetCostAndUsage'],
    reason: 'Cost Explorer shows the bill of the account, which has no resource',
  },
  {
    actions: ['cloudwatch:GetMetricData'],
    reason: 'metrics have no resource',
  },
  {
    actions: ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
    reason:
      'Lambda looks at its network interfaces; looking has no resource, and the code of a function is denied it',
  },
];
