/** Findings that stay, by check id and the resources (name patterns) it may be found on, with the reason. */
export type Explained = readonly { readonly id: string; readonly on: RegExp; readonly reason: string }[];

/** Those of the Pulumi program. */
export const explained: Explained = [
  {
    id: 'CKV_AWS_39',
    on: /^aws_eks_cluster\./,
    reason:
      'the specification asks for a public endpoint beside the private one; it is limited to named networks',
  },
  {
    id: 'CKV2_AWS_34',
    on: /^aws_ssm_parameter\./,
    reason: 'parameters hold ids, names and ARNs, no secret',
  },
  {
    id: 'CKV2_AWS_62',
    on: /^aws_s3_bucket\..*-(logs|replica)$/,
    reason: 'nothing acts on log or replica objects; the data bucket does send events',
  },
  {
    id: 'CKV_AWS_144',
    on: /^aws_s3_bucket\..*-(logs|replica)$/,
    reason: 'the replica is the copy; access logs are not needed in a second region',
  },
  {
    id: 'CKV_AWS_145',
    on: /^aws_s3_bucket\..*-logs$/,
    reason: 'log delivery writes with the keys of S3 only',
  },
  {
    id: 'CKV2_AWS_57',
    on: /^aws_secretsmanager_secret\.embeddings-cache/,
    reason: 'ElastiCache has no managed rotation; the token is replaced by a documented command',
  },
  {
    id: 'CKV2_AWS_57',
    on: /^aws_secretsmanager_secret\.epsilon-prod-release-app-key$/,
    reason:
      'GitHub makes the key of an app, and nobody else can: it is replaced by hand, as docs/deploy.md says',
  },
  ...['CKV_AWS_289', 'CKV_AWS_290', 'CKV_AWS_355'].map((id) => ({
    id,
    on: /^aws_iam_policy\.epsilon-prod-service-boundary$/,
    reason:
      'a boundary gives nothing: it is the most that a role of the service can ever have, beside its own rights',
  })),
  {
    id: 'CKV2_AWS_5',
    on: /^aws_security_group\.epsilon-prod-(batch|functions)$/,
    reason:
      'attached by Batch (in a nested block) and by the functions of serverless.yml: the scanner sees neither',
  },
  {
    id: 'CKV2_AWS_5',
    on: /^aws_security_group\.epsilon-prod-restored$/,
    reason: 'attached to the database that a restore makes',
  },
  {
    id: 'CKV2_AWS_11',
    on: /^aws_vpc\.epsilon-prod-restored$/,
    reason: 'a network without a way in or out, in which nothing runs but a restored database',
  },
  {
    id: 'CKV_AWS_61',
    on: /^aws_iam_role\.epsilon-prod-tenant-job$/,
    reason:
      'the function that lends credentials is made after this role, so its trust names the account and, in its condition, that one role',
  },
  {
    id: 'CKV2_AWS_50',
    on: /^aws_elasticache_replication_group\./,
    reason: 'one node as specified; the cache stage rebuilds its content',
  },
];

/** Those of the manifests of infra/k8s and of the Job of an attempt. */
export const explainedInTheCluster: Explained = [
  ...['CKV_K8S_14', 'CKV_K8S_43'].map((id) => ({
    id,
    on: /^Deployment\.epsilon\.job-watcher$/,
    reason:
      'the release names repository and digest (kustomize edit set image); the bare name starts nothing',
  })),
  {
    id: 'CKV_K8S_15',
    on: /job-watcher|x-1/,
    reason: 'images are named by digest: what is there is what would be pulled',
  },
  {
    id: 'CKV_K8S_38',
    on: /^Deployment\.epsilon\.job-watcher$/,
    reason: 'the watcher speaks to the API server; jobs do not, and have no token',
  },
];
