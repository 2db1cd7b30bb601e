import type { AwsPart } from '../aws/wiring/base.ts';
import type { JobRunners, Ports } from '../ports/ports.ts';

export type { AwsPart, Wired } from '../aws/wiring/base.ts';

/*
 * Each part says by its type which ports it brings. It is loaded when the first invocation of a function wires it, and a
 * bundler leaves out the parts, with their SDK clients, that a function does not name.
 */

/** Tenants, runs, leases, claims, locks, models, verdicts, records of images, of backups and of releases, in DynamoDB. */
export const awsStores: AwsPart<
  Pick<
    Ports,
    | 'tenants'
    | 'runs'
    | 'leases'
    | 'claims'
    | 'locks'
    | 'models'
    | 'verdicts'
    | 'imageRecords'
    | 'recoveryRecords'
    | 'releases'
  >
> = async () => (await import('../aws/wiring/wire-stores.ts')).wireStores;

/** Objects, in S3. */
export const awsObjects: AwsPart<Pick<Ports, 'objects'>> = async () =>
  (await import('../aws/wiring/wire-objects.ts')).wireObjects;

/** Jobs of the Batch backend. */
export const awsBatch: AwsPart<{ readonly jobs: Pick<JobRunners, 'batch'> }> = async () =>
  (await import('../aws/wiring/wire-batch.ts')).wireBatch;

/** Jobs of the Kubernetes backend, where the deployment names a cluster; the client is loaded when a job is first touched. */
export const awsKubernetes: AwsPart<{ readonly jobs: Pick<JobRunners, 'eks'> }> = async () =>
  (await import('../aws/wiring/wire-kubernetes.ts')).wireKubernetes;

/** Answers to waiting tasks, by Step Functions. */
export const awsCallbacks: AwsPart<Pick<Ports, 'callbacks'>> = async () =>
  (await import('../aws/wiring/wire-callbacks.ts')).wireCallbacks;

/** Executions, in Step Functions. */
export const awsWorkflows: AwsPart<Pick<Ports, 'workflows'>> = async () =>
  (await import('../aws/wiring/wire-workflows.ts')).wireWorkflows;

/** Tasks and sessions of jobs on Batch. */
export const awsSessions: AwsPart<Required<Pick<Ports, 'sessions'>>> = async () =>
  (await import('../aws/wiring/wire-sessions.ts')).wireSessions;

/** The cache that answers users, on ElastiCache, where the function reaches it. */
export const awsCacheStore: AwsPart<Pick<Ports, 'cacheStore'>> = async () =>
  (await import('../aws/wiring/wire-cache-store.ts')).wireCacheStore;

/** Our bus, on EventBridge. */
export const awsEvents: AwsPart<Pick<Ports, 'events'>> = async () =>
  (await import('../aws/wiring/wire-events.ts')).wireEvents;

/** People, through SNS. */
export const awsNotifier: AwsPart<Pick<Ports, 'notifier'>> = async () =>
  (await import('../aws/wiring/wire-notifier.ts')).wireNotifier;

/** Image digests, from ECR. */
export const awsImages: AwsPart<Pick<Ports, 'images'>> = async () =>
  (await import('../aws/wiring/wire-images.ts')).wireImages;

/** Spans, to the collector that the settings name. */
export const awsTraces: AwsPart<Pick<Ports, 'traces'>> = async () =>
  (await import('../aws/wiring/wire-traces.ts')).wireTraces;

/** Measured load, from CloudWatch. */
export const awsLoadMetrics: AwsPart<Pick<Ports, 'loadMetrics'>> = async () =>
  (await import('../aws/wiring/wire-load-metrics.ts')).wireLoadMetrics;

/** The least replicas of what answers users, in the cluster. */
export const awsReplicaFloor: AwsPart<Pick<Ports, 'replicaFloor'>> = async () =>
  (await import('../aws/wiring/wire-replica-floor.ts')).wireReplicaFloor;

/** Node groups, in EKS. */
export const awsNodeGroups: AwsPart<Pick<Ports, 'nodeGroups'>> = async () =>
  (await import('../aws/wiring/wire-node-groups.ts')).wireNodeGroups;

/** vCPU that are kept ready for queues, in Batch. */
export const awsQueueVcpus: AwsPart<Pick<Ports, 'queueVcpus'>> = async () =>
  (await import('../aws/wiring/wire-queue-vcpus.ts')).wireQueueVcpus;
/** The database in both regions, in RDS. */
export const awsDatabases: AwsPart<Pick<Ports, 'databases'>> = async () =>
  (await import('../aws/wiring/wire-databases.ts')).wireDatabases;

/** The table in both regions, in DynamoDB. */
export const awsTables: AwsPart<Pick<Ports, 'tables'>> = async () =>
  (await import('../aws/wiring/wire-tables.ts')).wireTables;

/** Objects in the other region and their replication, in S3 and CloudWatch. */
export const awsReplicas: AwsPart<Pick<Ports, 'replication' | 'replica'>> = async () =>
  (await import('../aws/wiring/wire-replicas.ts')).wireReplicas;

/** What replication of objects depends on and how it is repaired, in S3. */
export const awsReplicationControl: AwsPart<Pick<Ports, 'replicationControl'>> = async () =>
  (await import('../aws/wiring/wire-replication-control.ts')).wireReplicationControl;

/** What was measured of provisioning, in CloudWatch. */
export const awsProvisioning: AwsPart<Pick<Ports, 'provisioning'>> = async () =>
  (await import('../aws/cloudwatch/wire-provisioning.ts')).wireProvisioning;

/** What takes records away, in DynamoDB. */
export const awsRetirement: AwsPart<{ readonly retirement: NonNullable<Ports['retirement']> }> = async () =>
  (await import('../aws/wiring/wire-retirement.ts')).wireRetirement;

/** Heartbeats in databases, in PostgreSQL. */
export const awsHeartbeats: AwsPart<Pick<Ports, 'databaseHeartbeats'>> = async () =>
  (await import('../aws/wiring/wire-heartbeats.ts')).wireHeartbeats;

/** Functions that work on promoted records, asked through Lambda. */
export const awsConsumers: AwsPart<Pick<Ports, 'consumers'>> = async () =>
  (await import('../aws/lambda/wire-consumers.ts')).wireConsumers;

/** Versions behind the aliases of the machines, in Step Functions. */
export const awsVersions: AwsPart<Pick<Ports, 'versions'>> = async () =>
  (await import('../aws/wiring/wire-versions.ts')).wireVersions;

/** The account's bill, from Cost Explorer. */
export const awsBills: AwsPart<Pick<Ports, 'bills'>> = async () =>
  (await import('../aws/wiring/wire-bills.ts')).wireBills;
