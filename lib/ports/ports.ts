import type { ServiceConfig } from '../config/service-config.ts';
import type { Backend } from '../tenants/tenant.ts';
import type { Consumers } from './backup/consumers.ts';
import type { Databases } from './backup/database-service.ts';
import type { DatabaseHeartbeats } from './backup/heartbeats.ts';
import type { ProvisioningFigures } from './backup/provisioning.ts';
import type { RecoveryRecords } from './backup/recovery-records.ts';
import type { ReplicaObjects } from './backup/replica-objects.ts';
import type { ReplicationControl } from './backup/replication-control.ts';
import type { ReplicationMetrics } from './backup/replication-metrics.ts';
import type { Retirement } from './backup/retirement.ts';
import type { Tables } from './backup/table-service.ts';
import type { Bills } from './bills.ts';
import type { ClaimStore } from './claim-store.ts';
import type { Clock } from './clock.ts';
import type { EventPublisher } from './event-publisher.ts';
import type { IdSource } from './id-source.ts';
import type { ImageRecords } from './image-records.ts';
import type { ImageResolver } from './image-resolver.ts';
import type { JobRunner } from './job-runner.ts';
import type { JobSessions } from './job-sessions.ts';
import type { LeaseStore } from './lease-store.ts';
import type { LockStore } from './lock-store.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { Notifier } from './notifier.ts';
import type { ObjectStore } from './object-store.ts';
import type { QualityVerdicts } from './quality-verdicts.ts';
import type { Random } from './random.ts';
import type { ReleaseRecords } from './release/release-records.ts';
import type { VersionRouting } from './release/version-routing.ts';
import type { RunStore } from './run-store.ts';
import type { CacheStore } from './serving/cache-store.ts';
import type { LoadMetrics } from './serving/load-metrics.ts';
import type { ReplicaFloor } from './serving/replica-floor.ts';
import type { SizedGroups } from './serving/sized-groups.ts';
import type { TaskCallbacks } from './task-callbacks.ts';
import type { TenantStore } from './tenant-store.ts';
import type { TraceSink } from './trace-sink.ts';
import type { Workflows } from './workflows.ts';

/** Where a promotion made the records go on; what a consumer works by. */
export interface ServingPlace {
  readonly epoch: number;
  readonly table: string;
  readonly bucket: string;
  /** Whether they still go on there; asks now and then, not every time. */
  isCurrent(): Promise<boolean>;
}

/** What every handler has, whatever else it is wired with. */
export interface BasePorts {
  readonly config: ServiceConfig;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Only where a restored state goes on: elsewhere names of stores never change. */
  readonly place?: ServingPlace;
}

/**
 * The job runner of each backend; undefined where it does not exist: a tenant on such a backend is refused when its run
 * begins. Backends of AWS are always named, so that nobody forgets one; `local` exists in the embedded runtime only.
 */
export type JobRunners = { readonly [B in Exclude<Backend, 'local'>]: JobRunner | undefined } & {
  readonly local?: JobRunner | undefined;
};

/** Everything a handler may touch. The embedded runtime gives it whole; on AWS a function has the ports of its parts. */
export interface Ports extends BasePorts {
  readonly tenants: TenantStore;
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly claims: ClaimStore;
  readonly locks: LockStore;
  readonly models: ModelRegistry;
  readonly verdicts: QualityVerdicts;
  readonly objects: ObjectStore;
  readonly jobs: JobRunners;
  readonly callbacks: TaskCallbacks;
  readonly events: EventPublisher;
  readonly notifier: Notifier;
  readonly images: ImageResolver;
  readonly imageRecords: ImageRecords;
  readonly workflows: Workflows;
  readonly bills: Bills;
  readonly traces: TraceSink;
  readonly loadMetrics: LoadMetrics;
  readonly replicaFloor: ReplicaFloor;
  /** Nodes that replicas run on. */
  readonly nodeGroups: SizedGroups;
  /** vCPU that are kept ready for queues of Batch. */
  readonly queueVcpus: SizedGroups;
  readonly recoveryRecords: RecoveryRecords;
  /** What backups look at; undefined where the settings say that there are none, as on one host, which has its own. */
  readonly databases: Databases | undefined;
  readonly tables: Tables | undefined;
  readonly replication: ReplicationMetrics | undefined;
  readonly replica: ReplicaObjects | undefined;
  readonly replicationControl: ReplicationControl | undefined;
  readonly retirement: Retirement | undefined;
  readonly databaseHeartbeats: DatabaseHeartbeats | undefined;
  readonly consumers: Consumers | undefined;
  readonly releases: ReleaseRecords;
  readonly versions: VersionRouting;
  /** Absent in the embedded runtime: jobs of this host reach its files, and need no credentials. */
  readonly sessions?: JobSessions;
  /** Absent in the embedded runtime, whose cache stages fill Redis themselves, and where functions do not reach the cache. */
  readonly cacheStore?: CacheStore;
  /** Absent where nothing is provisioned: in the embedded runtime, and in a region that stands idle. */
  readonly provisioning?: ProvisioningFigures;
}
