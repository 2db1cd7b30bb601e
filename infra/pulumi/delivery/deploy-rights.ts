/** What CloudFormation does with resources of some types, and where. Words in `<>` are filled in by deploy.ts. */
export interface DeployRight {
  /** Types of CloudFormation that it is for; none where it is for reading what templates refer to. */
  readonly types: readonly string[];
  readonly actions: readonly string[];
  /** ARNs; `*` only for calls that have no resource. */
  readonly on: readonly string[];
  /** Only on what the service's stack has made, where names do not tell. */
  readonly ofStack?: true;
}

const of = (service: string, ...actions: string[]) => actions.map((action) => `${service}:${action}`);

/**
 * Rights of CloudFormation when it deploys the service, by the types of its template. A test holds them against the packaged template, so a
 * new type of resource needs a line here. Removal is among them where a deploy replaces things; the table and its key are kept by the
 * template, and nobody may delete them here.
 */
export const deployRights: readonly DeployRight[] = [
  {
    types: ['AWS::SSM::Parameter::Value'],
    actions: of('ssm', 'GetParameters'),
    on: ['arn:aws:ssm:<place>:parameter/epsilon/<env>/*'],
  },
  {
    types: [
      'AWS::Lambda::Function',
      'AWS::Lambda::Version',
      'AWS::Lambda::Permission',
      'AWS::Lambda::EventInvokeConfig',
    ],
    actions: of(
      'lambda',
      ...['AddPermission', 'CreateFunction', 'DeleteFunction', 'DeleteFunctionConcurrency'],
      ...['DeleteFunctionEventInvokeConfig', 'GetFunction', 'GetFunctionCodeSigningConfig'],
      ...['GetFunctionConfiguration', 'GetFunctionEventInvokeConfig', 'GetFunctionRecursionConfig'],
      ...['GetPolicy', 'GetProvisionedConcurrencyConfig', 'GetRuntimeManagementConfig', 'ListTags'],
      ...['ListVersionsByFunction', 'PublishVersion', 'PutFunctionConcurrency'],
      ...['PutFunctionEventInvokeConfig', 'RemovePermission', 'TagResource', 'UntagResource'],
      ...['UpdateFunctionCode', 'UpdateFunctionConfiguration', 'UpdateFunctionEventInvokeConfig'],
    ),
    on: ['arn:aws:lambda:<place>:function:epsilon-<env>-*'],
  },
  {
    // Functions in the network.
    types: ['AWS::Lambda::Function'],
    actions: of('ec2', 'DescribeSecurityGroups', 'DescribeSubnets', 'DescribeVpcs'),
    on: ['*'],
  },
  {
    types: [
      'AWS::StepFunctions::StateMachine',
      'AWS::StepFunctions::StateMachineVersion',
      'AWS::StepFunctions::StateMachineAlias',
    ],
    actions: of(
      'states',
      ...['CreateStateMachine', 'CreateStateMachineAlias', 'DeleteStateMachine', 'DeleteStateMachineAlias'],
      ...['DeleteStateMachineVersion', 'DescribeStateMachine', 'DescribeStateMachineAlias'],
      ...['ListStateMachineAliases', 'ListStateMachineVersions', 'ListTagsForResource'],
      ...['PublishStateMachineVersion', 'TagResource', 'UntagResource', 'UpdateStateMachine'],
      'UpdateStateMachineAlias',
    ),
    on: ['arn:aws:states:<place>:stateMachine:epsilon-<env>-*'],
  },
  {
    types: ['AWS::DynamoDB::GlobalTable'],
    actions: of(
      'dynamodb',
      ...['CreateTable', 'CreateTableReplica', 'DescribeContinuousBackups', 'DescribeContributorInsights'],
      ...['DescribeKinesisStreamingDestination', 'DescribeTable', 'DescribeTableReplicaAutoScaling'],
      ...['DescribeTimeToLive', 'GetResourcePolicy', 'ListTagsOfResource', 'TagResource', 'UntagResource'],
      ...['UpdateContinuousBackups', 'UpdateContributorInsights', 'UpdateTable'],
      ...['UpdateTableReplicaAutoScaling', 'UpdateTimeToLive', 'BatchWriteItem', 'DeleteItem', 'GetItem'],
      ...['PutItem', 'Query', 'Scan', 'UpdateItem'],
    ),
    // In the other region, too: the replica there is made and filled with these rights.
    on: [
      'arn:aws:dynamodb:*:<account>:table/epsilon-<env>',
      'arn:aws:dynamodb:*:<account>:table/epsilon-<env>/*',
    ],
  },
  { types: ['AWS::KMS::Key'], actions: of('kms', 'CreateKey'), on: ['*'] },
  {
    types: ['AWS::KMS::Key', 'AWS::KMS::Alias'],
    actions: of(
      'kms',
      ...['CreateAlias', 'DeleteAlias', 'DescribeKey', 'EnableKeyRotation', 'GetKeyPolicy'],
      ...['GetKeyRotationStatus', 'ListResourceTags', 'PutKeyPolicy', 'TagResource', 'UntagResource'],
      ...['UpdateAlias', 'UpdateKeyDescription'],
    ),
    on: ['arn:aws:kms:<place>:key/*'],
    // Keys of infrastructure are none of its affair.
    ofStack: true,
  },
  {
    types: ['AWS::KMS::Alias'],
    actions: of('kms', 'CreateAlias', 'DeleteAlias', 'UpdateAlias'),
    on: ['arn:aws:kms:<place>:alias/epsilon-<env>-*'],
  },
  {
    types: ['AWS::Events::EventBus', 'AWS::Events::Archive', 'AWS::Events::Rule'],
    actions: of(
      'events',
      ...['CreateArchive', 'CreateEventBus', 'DeleteArchive', 'DeleteEventBus', 'DeleteRule'],
      ...['DescribeArchive', 'DescribeEventBus', 'DescribeRule', 'ListTagsForResource'],
      ...['ListTargetsByRule', 'PutRule', 'PutTargets', 'RemoveTargets', 'TagResource', 'UntagResource'],
      ...['UpdateArchive', 'UpdateEventBus'],
    ),
    on: [
      'arn:aws:events:<place>:event-bus/epsilon-<env>',
      'arn:aws:events:<place>:archive/epsilon-<env>',
      'arn:aws:events:<place>:rule/epsilon-<env>-*',
      'arn:aws:events:<place>:rule/epsilon-<env>/*',
    ],
  },
  {
    types: ['AWS::Scheduler::Schedule'],
    actions: of('scheduler', 'CreateSchedule', 'DeleteSchedule', 'GetSchedule', 'UpdateSchedule'),
    on: ['arn:aws:scheduler:<place>:schedule/default/epsilon-<env>-*'],
  },
  {
    types: ['AWS::SQS::Queue', 'AWS::SQS::QueuePolicy'],
    actions: of(
      'sqs',
      ...['CreateQueue', 'DeleteQueue', 'GetQueueAttributes', 'GetQueueUrl', 'ListQueueTags'],
      ...['SetQueueAttributes', 'TagQueue', 'UntagQueue'],
    ),
    on: ['arn:aws:sqs:<place>:epsilon-<env>-*'],
  },
  {
    types: ['AWS::Logs::LogGroup'],
    actions: of(
      'logs',
      ...['AssociateKmsKey', 'CreateLogGroup', 'DeleteLogGroup', 'DeleteRetentionPolicy'],
      ...['DisassociateKmsKey', 'ListTagsForResource', 'PutRetentionPolicy', 'TagResource', 'UntagResource'],
    ),
    on: [
      'arn:aws:logs:<place>:log-group:/aws/lambda/epsilon-<env>-*',
      'arn:aws:logs:<place>:log-group:/aws/vendedlogs/states/epsilon-<env>-*',
    ],
  },
  { types: ['AWS::Logs::LogGroup'], actions: of('logs', 'DescribeLogGroups'), on: ['*'] },
  {
    types: ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::Dashboard'],
    actions: of(
      'cloudwatch',
      ...['DeleteAlarms', 'DeleteDashboards', 'DescribeAlarms', 'GetDashboard', 'ListTagsForResource'],
      ...['PutDashboard', 'PutMetricAlarm', 'TagResource', 'UntagResource'],
    ),
    on: [
      'arn:aws:cloudwatch:<place>:alarm:epsilon-<env>-*',
      'arn:aws:cloudwatch::<account>:dashboard/epsilon-<env>',
    ],
  },
  {
    types: [
      'AWS::ApiGateway::RestApi',
      'AWS::ApiGateway::Resource',
      'AWS::ApiGateway::RequestValidator',
      'AWS::ApiGateway::Method',
      'AWS::ApiGateway::Deployment',
      'AWS::ApiGateway::Stage',
    ],
    actions: of('apigateway', 'DELETE', 'GET', 'PATCH', 'POST', 'PUT', 'UpdateRestApiPolicy'),
    // An API's ARN has a name that AWS chooses.
    on: ['arn:aws:apigateway:<region>::/restapis', 'arn:aws:apigateway:<region>::/restapis/*'],
  },
  {
    types: ['AWS::EKS::AccessEntry'],
    actions: of(
      'eks',
      ...['CreateAccessEntry', 'DeleteAccessEntry', 'DescribeAccessEntry', 'ListAssociatedAccessPolicies'],
      ...['TagResource', 'UntagResource', 'UpdateAccessEntry'],
    ),
    on: ['arn:aws:eks:<place>:cluster/<cluster>', 'arn:aws:eks:<place>:access-entry/<cluster>/*'],
  },
  {
    types: ['AWS::S3::Bucket', 'AWS::S3::BucketPolicy'],
    actions: of(
      's3',
      ...['CreateBucket', 'GetBucketPolicy', 'GetBucketVersioning', 'GetEncryptionConfiguration'],
      ...[
        'GetBucketPublicAccessBlock',
        'GetObject',
        'GetObjectVersion',
        'PutBucketPolicy',
        'PutBucketTagging',
      ],
      ...['PutBucketPublicAccessBlock', 'PutBucketVersioning', 'PutEncryptionConfiguration'],
    ),
    on: ['arn:aws:s3:::epsilon-<env>-serverlessdeployment*'],
  },
];

/** What gives a role of the service rights: only with the boundary on it. */
export const boundedRoleActions = of(
  'iam',
  'CreateRole',
  'DeleteRolePolicy',
  'PutRolePermissionsBoundary',
  'PutRolePolicy',
);

/** What else is done with roles of the service. */
export const roleActions = of(
  'iam',
  ...['DeleteRole', 'GetRole', 'GetRolePolicy', 'ListAttachedRolePolicies', 'ListRolePolicies', 'TagRole'],
  ...['UntagRole', 'UpdateAssumeRolePolicy', 'UpdateRole', 'UpdateRoleDescription'],
);
