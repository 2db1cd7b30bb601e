import type { Repository } from '@pulumi/aws/ecr/repository.js';
import type { Cluster } from '@pulumi/aws/eks/cluster.js';
import { getCallerIdentityOutput } from '@pulumi/aws/getCallerIdentity.js';
import { all, type Output } from '@pulumi/pulumi';
import type { InfrastructureConfig } from '../../lib/config/infrastructure.ts';
import { createAlerts, createBudget, createStandbyAlerts } from './account.ts';
import { createNodeAddons, createWorkloadAddons } from './addons.ts';
import { createBatch } from './batch.ts';
import { createCache, createStandbyToken } from './cache.ts';
import { createCluster } from './cluster.ts';
import { createDatabase, type Database, importDatabase } from './database.ts';
import { createDeployRole } from './delivery/deploy.ts';
import { createGithubRoles } from './delivery/github.ts';
import { createEndpoints, createWorkerGroup } from './endpoints.ts';
import { createJobDefinitions } from './job-definitions.ts';
import { createJobRoles, type PodUser } from './job-roles.ts';
import { createKeys, type Keys } from './keys.ts';
import { createNetwork, type Network } from './network.ts';
import { createNodeGroups } from './node-groups.ts';
import { writeParameters, writeStandbyParameters } from './parameters.ts';
import { createPodIdentities, createPodLogs } from './pod-identities.ts';
import { createLanding, type Landing } from './recovery.ts';
import { createRegistry, replicateImages } from './registry.ts';
import { createSite, type Site } from './site.ts';
import { createStorage, type Storage } from './storage.ts';
import { createTrainingNodes } from './training-nodes.ts';

/** What `pulumi stack output` shows. */
export interface PlatformOutputs {
  readonly clusterName: Output<string>;
  readonly clusterEndpoint: Output<string>;
}

function createKubernetes(
  site: Site,
  network: Network,
  options: { readonly keys: Keys; readonly jobs: PodUser; readonly alertsArn: Output<string> },
) {
  const { keys, jobs, alertsArn } = options;
  const parts = createCluster(site, network, keys);
  createPodLogs(site, keys);
  const identities = createPodIdentities(site, parts.cluster, {
    keys,
    jobs,
    alertsArn,
    dependsOn: parts.access,
  });
  const daemons = createNodeAddons(site, parts.cluster, identities);
  const dependsOn = [...parts.access, ...identities.associations, ...daemons, ...network.exits];
  const nodes = createNodeGroups(site, parts, { network, dependsOn });
  createTrainingNodes(site, parts.cluster, { network, dependsOn });
  createWorkloadAddons(site, parts.cluster, { identities, nodes });
  return parts.cluster;
}

/** Creates who deploys: CloudFormation's role with the boundary of what it deploys, and the roles of jobs of GitHub. */
function createDelivery(
  site: Site,
  beside: {
    readonly keys: Keys;
    readonly storage: Storage;
    readonly cluster: Cluster;
    readonly repositories: readonly Repository[];
  },
) {
  const { keys, storage, cluster, repositories } = beside;
  const deploy = createDeployRole(site, {
    clusterName: cluster.name,
    buckets: [storage.data.id, storage.replica.id],
    keyArns: [keys.data.arn, keys.logs.arn, keys.replica.arn],
  });
  const roles = createGithubRoles(site, {
    keys,
    repositories,
    clusterArn: cluster.arn,
    deployRoleArn: deploy,
  });
  return { ...roles, deploy };
}

/** What stands in the disaster recovery region beside the replicas: images, a token, a topic, and what the idle stack there reads. */
function prepareStandby(
  site: Site,
  keys: Keys,
  {
    database,
    storage,
    landing,
  }: { readonly database: Database; readonly storage: Storage; readonly landing: Landing },
): void {
  createStandbyToken(site, keys);
  replicateImages(site, keys);
  importDatabase(site, landing, keys);
  writeStandbyParameters(site, {
    'kms/key-arn': keys.replica.arn,
    'kms/logs-key-arn': keys.replica.arn,
    'kms/replica-key-arn': keys.replica.arn,
    'alerts/topic-arn': createStandbyAlerts(site, keys).arn,
    'rds/instance-id': database.instance.identifier,
    's3/replica-bucket': storage.replica.id,
    'recovery/subnet-group': landing.subnetGroup,
    'recovery/parameter-group': landing.parameterGroup,
    'recovery/security-group-id': landing.securityGroupId,
  });
}

/** Creates the whole platform of one environment from checked settings. */
export function createPlatform(config: InfrastructureConfig): PlatformOutputs {
  const site = createSite(config, getCallerIdentityOutput({}).accountId);
  const keys = createKeys(site);
  const network = createNetwork(site, keys);
  const apiEndpointId = createEndpoints(site, network);
  const storage = createStorage(site, keys);
  const roles = createJobRoles(site, storage.data, keys);
  const alerts = createAlerts(site, keys);
  const cluster = createKubernetes(site, network, { keys, jobs: roles.pod, alertsArn: alerts.arn });
  const database = createDatabase(site, network, keys);
  const landing = createLanding(site);
  const cache = createCache(site, network, keys);
  const images = createRegistry(site, keys);
  const batch = createBatch(site, network);
  const definitions = createJobDefinitions(site, images, roles.batch);
  createBudget(site, alerts);
  prepareStandby(site, keys, { database, storage, landing });
  const github = createDelivery(site, { keys, storage, cluster, repositories: Object.values(images) });
  writeParameters(site, {
    'network/vpc-id': network.vpc.id,
    'network/private-subnet-ids': all(network.privateSubnetIds).apply((ids) => ids.join(',')),
    'network/lambda-security-group-id': createWorkerGroup(site, network, 'functions').id,
    'eks/cluster-name': cluster.name,
    'network/api-endpoint-id': apiEndpointId,
    'eks/cluster-endpoint': cluster.endpoint,
    'batch/spot-queue-arn': batch.spot.arn,
    'batch/on-demand-queue-arn': batch.onDemand.arn,
    'batch/job-definition-arns': definitions.apply((arns) => JSON.stringify(arns)),
    's3/data-bucket': storage.data.id,
    's3/replica-bucket': storage.replica.id,
    'redis/endpoint': cache.group.primaryEndpointAddress,
    'redis/secret-arn': cache.token.arn,
    'rds/instance-id': database.instance.identifier,
    'rds/endpoint': database.instance.endpoint,
    'rds/secret-arn': database.secretArn,
    'kms/key-arn': keys.data.arn,
    'kms/logs-key-arn': keys.logs.arn,
    'kms/replica-key-arn': keys.replica.arn,
    'recovery/subnet-group': landing.subnetGroup,
    'recovery/parameter-group': landing.parameterGroup,
    'recovery/security-group-id': landing.securityGroupId,
    'jobs/role-arn': roles.tenant,
    'ecr/data-pipeline-url': images['data-pipeline'].repositoryUrl,
    'ecr/ml-engine-url': images['ml-engine'].repositoryUrl,
    'ecr/deployer-url': images.deployer.repositoryUrl,
    'ecr/backend-api-url': images['backend-api'].repositoryUrl,
    'ecr/job-watcher-url': images['job-watcher'].repositoryUrl,
    'alerts/topic-arn': alerts.arn,
    'argocd/host': config.argocdHost ?? 'argocd.invalid',
    'github/repository': config.github.repository,
    'deploy/role-arn': github.deploy,
    'github/release-role-arn': github.release,
    'github/control-role-arn': github.control,
    'github/preview-role-arn': github.preview,
  });
  return { clusterName: cluster.name, clusterEndpoint: cluster.endpoint };
}
