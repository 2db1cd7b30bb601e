import { functionIds } from '../../lib/config/logical-ids.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';

/** A finding of cdk-nag that stands, and why. */
export interface ExplainedFinding {
  /** Rule id; the text in brackets as cdk-nag prints it, with environment and bucket taken out. */
  readonly rule: string;
  /** Logical ids it may be found on. */
  readonly on: RegExp;
  readonly reason: string;
}

const wildcard = (resource: string) => `AwsSolutions-IAM5[Resource::${resource}]`;
const here = '<AWS::Region>:<AWS::AccountId>';
const bucket = 'arn:<AWS::Partition>:s3:::<bucket>';
/** Home and the region of the replicas. */
const regions = [here, 'us-east-1:<AWS::AccountId>'];
const everyFunction = /(Role|LambdaFunction)$/;

/** Logical ids of the functions that state machines call, as their definitions say. */
const calledByMachines = new Set(
  loadLocalService('.', {}).service.machines.flatMap(({ definition }) =>
    [...JSON.stringify(definition).matchAll(/"Fn::GetAtt":\["(\w+)"/g)].map(
      ([, key = '']) => functionIds(key).lambda,
    ),
  ),
);

const machineFunction = (id: string): ExplainedFinding => ({
  rule: wildcard(`<${id}.Arn>:*`),
  on: /Role$/,
  reason:
    'a machine calls exact versions, and runs in flight the ones before: every version of this one function',
});

/** Findings that stand. One that no environment has any more fails the test. */
export const explainedFindings: readonly ExplainedFinding[] = [
  ...['', '/index/openWork'].map((of) => ({
    rule: wildcard(`arn:<AWS::Partition>:dynamodb:${here}:table/epsilon-<environment>-restore-*${of}`),
    on: /Role$/,
    reason: 'restored tables have names that each restore makes; the place that serves works on one of them',
  })),
  {
    rule: wildcard(`${bucket}/recovery/consumers/*`),
    on: /Role$/,
    reason: 'one folder, in which each function that works on a restored state says so, once for each epoch',
  },
  {
    rule: wildcard('*'),
    on: /Role$/,
    reason: 'actions without a resource type; each stands in explained-resources.ts with its reason',
  },
  {
    rule: wildcard(`${bucket}/nights/*`),
    on: /^(LoadTenants|WatchNight|JudgeNight|NightlyTraining)Role$/,
    reason: 'one folder of the bucket; the names below it are dates and executions',
  },
  {
    rule: wildcard(`${bucket}/*/runs/*/cache.jsonl`),
    on: /^FillCacheRole$/,
    reason: 'one file of each run, whatever the tenant, the run and the attempt are called',
  },
  {
    rule: wildcard(`arn:<AWS::Partition>:secretsmanager:${here}:secret:epsilon/<environment>/redis-*`),
    on: /^FillCacheRole$/,
    reason: 'one secret; Secrets Manager adds six characters to its name',
  },
  {
    rule: wildcard(`${bucket}/quality/*`),
    on: /^(ProfileShard|CheckShard|JudgeShard|RecordVerdicts)Role$/,
    reason: 'one folder of the bucket; the names below it are executions and shards',
  },
  {
    rule: wildcard(`${bucket}/*`),
    on: /^ProfileShardRole$/,
    reason: 'documents of every tenant, which are read and counted; nothing may be written there',
  },
  {
    rule: wildcard(`${bucket}/cost/*`),
    on: /^RecordBillRole$/,
    reason: 'one folder of the bucket; the names below it are months',
  },
  {
    rule: wildcard(`${bucket}/scaling/*`),
    on: /^(DecideCapacity|ApplyCapacity|ExpireCapacity|PrewarmNight)Role$/,
    reason: 'one folder of the bucket; the names below it are node groups',
  },
  {
    rule: wildcard(`${bucket}/scaling/groups/*`),
    on: /^(ApplyCapacity|PrewarmNight)Role$/,
    reason: 'one folder of the bucket; the names below it are node groups',
  },
  {
    rule: wildcard(`arn:<AWS::Partition>:batch:${here}:compute-environment/epsilon-<environment>-batch-*`),
    on: /^(ExpireCapacity|PrewarmNight)Role$/,
    reason: 'infrastructure makes their names from a prefix, so that one can be replaced before it goes',
  },
  ...['general-*/*', 'ml_workloads/*'].map((groups) => ({
    rule: wildcard(`arn:<AWS::Partition>:eks:${here}:nodegroup/<EksClusterName>/${groups}`),
    on: /^(ApplyCapacity|ExpireCapacity)Role$/,
    reason: 'the node groups that replicas run on; EKS adds an id to their ARNs',
  })),
  {
    rule: wildcard(`${bucket}/*/runs/*/order.json`),
    on: /^ProfileShardRole$/,
    reason: 'what jobs that look at datasets are told, and no other object; the function serves all tenants',
  },
  {
    rule: wildcard(`${bucket}/*/runs/*/profiles.json`),
    on: /^CheckShardRole$/,
    reason: 'what those jobs found, and no other object; the function serves all tenants',
  },
  {
    rule: wildcard(`${bucket}/*/runs/*/result.json`),
    on: /^(SubmitStage|CompleteJob|ReconcileJobs|SettleRun|VacateInstance)Role$/,
    reason: "the results of every tenant's jobs, and no other object; these functions serve all tenants",
  },
  {
    rule: wildcard(`${bucket}/*/runs/*`),
    on: /^(AlignFixedNames|RemoveRetired)Role$/,
    reason:
      'what a run of any tenant made: copied to the fixed names, and removed when nothing can name it any more',
  },
  ...['training_data/*', 'model.bin', 'index.faiss', 'model.json'].map((name) => ({
    rule: wildcard(`${bucket}/*/${name}`),
    on: /^AlignFixedNamesRole$/,
    reason: "a fixed name below each tenant's prefix; the function serves all tenants",
  })),
  {
    rule: wildcard(`arn:<AWS::Partition>:batch:${here}:job-definition/epsilon-<environment>-stage-*`),
    on: /^(SubmitStage|ReconcileJobs)Role$/,
    reason: 'one definition per training stage, and their revisions',
  },
  {
    rule: wildcard(`arn:<AWS::Partition>:batch:${here}:job/*`),
    on: /^(SubmitStage|ReconcileJobs|SettleRun|VacateInstance)Role$/,
    reason: 'Batch gives a job its id when it is submitted',
  },
  {
    rule: wildcard(
      `arn:<AWS::Partition>:states:${here}:execution:epsilon-<environment>-tenant-model-training:*`,
    ),
    on: /^(ReconcileJobs|NightlyTraining|Release)Role$/,
    reason: 'executions of one machine; their names are made when they begin',
  },
  {
    rule: wildcard(
      `arn:<AWS::Partition>:states:${here}:execution:epsilon-<environment>-data-quality-check:*`,
    ),
    on: /^(BeginRun|ReconcileJobs)Role$/,
    reason: 'executions of one machine; their names are made when they begin',
  },
  {
    rule: wildcard(`arn:<AWS::Partition>:states:${here}:execution:epsilon-<environment>-nightly-training:*`),
    on: /^(WatchNight|ReconcileJobs)Role$/,
    reason: 'executions of one machine; their names are made when they begin',
  },
  {
    rule: wildcard(`arn:<AWS::Partition>:states:${here}:mapRun:epsilon-<environment>-nightly-training/*`),
    on: /^WatchNightRole$/,
    reason: 'Map runs of one machine; their names are made when they begin',
  },
  {
    rule: wildcard(`arn:<AWS::Partition>:states:${here}:execution:epsilon-<environment>-release:*`),
    on: /^OpenReleaseRole$/,
    reason: 'executions of one machine; their names are made of commits and digests',
  },
  {
    rule: wildcard(`arn:<AWS::Partition>:states:${here}:execution:epsilon-<environment>-nightly-training/*`),
    on: /^NightlyTrainingRole$/,
    reason: 'children of its own distributed Map',
  },
  {
    rule: wildcard(`arn:<AWS::Partition>:ecs:${here}:cluster/*epsilon-<environment>-batch-*`),
    on: /^VacateInstanceRole$/,
    reason: 'Batch makes the clusters of its compute environments and adds to their names; looking only',
  },
  ...['container-instance', 'task'].map((kind) => ({
    rule: wildcard(`arn:<AWS::Partition>:ecs:${here}:${kind}/*`),
    on: kind === 'task' ? /^VacateInstanceRole$/ : /^(VacateInstance|ReconcileJobs)Role$/,
    reason: 'limited to the clusters of Batch by the condition ecs:cluster; looking only',
  })),
  ...['network-interface', 'subnet', 'security-group'].map((kind) => ({
    rule: wildcard(`arn:<AWS::Partition>:ec2:${here}:${kind}/*`),
    on: /^(SubmitStage|ReconcileJobs|SettleRun|VacateInstance|FillCache|DecideCapacity|ApplyCapacity|ExpireCapacity|BeatStores)Role$/,
    reason:
      'Lambda needs network interfaces, subnets and groups of the account, and refuses a role that names fewer; a Deny keeps code out',
  })),
  {
    rule: wildcard(`${bucket}/recovery/exports/*`),
    on: /^AssessRecoveryRole$/,
    reason: 'one folder of the bucket; the names below it are times',
  },
  {
    rule: wildcard(`arn:<AWS::Partition>:s3:${here}:job/*`),
    on: /^AssessRecoveryRole$/,
    reason: 'S3 names the jobs that repair replication; looking only',
  },
  {
    rule: wildcard('arn:<AWS::Partition>:s3:::<ReplicaBucket>/recovery/consumers/*'),
    on: /^AwaitConsumersRole$/,
    reason: 'what each consumer reported of itself, an object each; reading only',
  },
  {
    rule: wildcard('arn:<AWS::Partition>:lambda:us-east-1:<AWS::AccountId>:function:epsilon-<environment>-*'),
    on: /^AwaitConsumersRole$/,
    reason: "every function of this environment there is a consumer, and is asked; another stack's names",
  },
  {
    rule: wildcard('arn:<AWS::Partition>:s3:::<ReplicaBucket>/*/runs/*'),
    on: /^RemoveRetiredRole$/,
    reason: 'removes the copy of what is gone in this region, of any tenant; its version stays for a while',
  },
  {
    rule: wildcard('arn:<AWS::Partition>:s3:::<ReplicaBucket>/recovery/drills/*'),
    on: /^CloseDrillRole$/,
    reason: 'the record of each drill, an object each, which no drill reads',
  },
  ...[bucket, 'arn:<AWS::Partition>:s3:::<ReplicaBucket>'].map((where) => ({
    rule: wildcard(`${where}/*/runs/*`),
    on: /^AssessRecoveryRole$/,
    reason: 'puts an output of a run, of any tenant, in place of a copy that differs from its record',
  })),
  {
    rule: wildcard('arn:<AWS::Partition>:s3:::<ReplicaBucket>/recovery/ledger/*'),
    on: /^BeatStoresRole$/,
    reason: 'what each store acknowledged, an object each; nothing else is written in the other region',
  },
  ...['<AWS::Region>', 'us-east-1'].map((where) => ({
    rule: wildcard(`arn:<AWS::Partition>:rds-db:${where}:<AWS::AccountId>:dbuser:*/epsilon_heartbeat`),
    on: /^(BeatStores|VerifyRestore|PromoteRestore)Role$/,
    reason:
      'the right goes by the id of an instance, which a restored one has not yet; the user owns the heartbeat alone',
  })),
  {
    rule: wildcard('arn:<AWS::Partition>:s3:::<ReplicaBucket>/*'),
    on: /^(AssessRecovery|VerifyRestore|PromoteRestore)Role$/,
    reason:
      'reads in the other region what a restore would find there, of every tenant; nothing may be written there',
  },
  {
    rule: wildcard('arn:<AWS::Partition>:rds:us-east-1:<AWS::AccountId>:db:*'),
    on: /^(OpenRestore|HoldRestore|VerifyRestore|PromoteRestore|WakeRestore)Role$/,
    reason: 'whether a name is taken in the other region, and what became of a restored one; looking only',
  },
  ...['db:<DatabaseInstanceId>-*', 'db:<DatabaseInstanceId>-drill-*'].map((name) => ({
    rule: wildcard(`arn:<AWS::Partition>:rds:us-east-1:<AWS::AccountId>:${name}`),
    on: /^(OpenRestore|HoldRestore|CloseDrill)Role$/,
    reason:
      'what restores and drills make is named by their executions; only what a drill made can be removed',
  })),
  ...['*', 'restore-*', 'drill-*', 'restore-*/index/openWork'].map((name) => ({
    rule: wildcard(
      `arn:<AWS::Partition>:dynamodb:us-east-1:<AWS::AccountId>:table/epsilon-<environment>-${name}`,
    ),
    on: /^(OpenRestore|HoldRestore|VerifyRestore|PromoteRestore|AwaitConsumers|CloseDrill)Role$/,
    reason:
      'what restores and drills make is named by their executions; only what a drill made can be removed',
  })),
  {
    rule: wildcard('arn:<AWS::Partition>:secretsmanager:us-east-1:<AWS::AccountId>:secret:rds!*'),
    on: /^HoldRestoreRole$/,
    reason: "RDS names the secret that it keeps a restored database's password in",
  },
  ...regions.flatMap((where) => [
    {
      rule: wildcard(`arn:<AWS::Partition>:rds:${where}:auto-backup:*`),
      on: /^(AssessRecovery|OpenRestore|HoldRestore|VerifyRestore|PromoteRestore|WakeRestore|WatchRecovery)Role$/,
      reason: 'RDS gives automated backups their names; looking only',
    },
    {
      rule: wildcard(`arn:<AWS::Partition>:rds:${where}:snapshot:epsilon-<environment>-*`),
      on: /^(HoldSnapshot|WakeBackup|PruneSnapshots)Role$/,
      reason: 'snapshots of this environment, which are named by their days',
    },
    {
      rule: wildcard(`arn:<AWS::Partition>:rds:${where}:snapshot:*`),
      on: /^PruneSnapshotsRole$/,
      reason: 'a list names no snapshot; looking only',
    },
  ]),
  ...[...calledByMachines].map(machineFunction),
  {
    rule: 'AwsSolutions-COG4',
    on: /^CredentialsMethod$/,
    reason: 'IAM authorizes the caller, who is a job and no person; a user pool would know neither',
  },
  {
    rule: 'AwsSolutions-APIG3',
    on: /^CredentialsStage$/,
    reason:
      'private: only the role of jobs, through one endpoint of the network, reaches it; it takes one small body',
  },
  ...['AwsSolutions-APIG1', 'AwsSolutions-APIG6', 'Serverless-APIGWAccessLogging'].map((rule) => ({
    rule,
    on: /^CredentialsStage$/,
    reason:
      'API Gateway logs with one role of the whole account and region, which is not ours to set; the function logs each request',
  })),
  {
    rule: 'AwsSolutions-S1',
    on: /^ServerlessDeploymentBucket$/,
    reason: 'holds bundles and templates of deploys only; CloudTrail has who wrote them',
  },
  ...['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy'].map((rule) => ({
    rule,
    on: /^(EventsDeadLetters|FailedInvocations)$/,
    reason: 'these are the dead-letter queues; an alarm watches their depth',
  })),
  {
    rule: 'Serverless-LambdaStarPermissions',
    on: everyFunction,
    reason: 'the same stars as AwsSolutions-IAM5; each stands in explained-resources.ts with its reason',
  },
  {
    rule: 'Serverless-LambdaDLQ',
    on: everyFunction,
    reason:
      'functions of events have an on-failure destination instead, which also keeps the answer; those of machines are waited for',
  },
];
