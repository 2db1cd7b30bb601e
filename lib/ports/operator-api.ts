import type { ServiceConfig } from '../config/service-config.ts';
import type { GateOverride } from '../quality/verdict.ts';
import type { Release } from '../release/release.ts';
import type { CapacityOverride } from '../scaling/decide.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { NewTenant, TenantChanges } from '../tenants/tenant-changes.ts';
import type { ImageRecord } from '../training/images.ts';
import type { LiveModel } from '../training/models/model.ts';
import type { AuditLog } from './audit-log.ts';
import type { Backups } from './backup/backups.ts';
import type { Clock } from './clock.ts';
import type { Declared, EnvironmentReport } from './environment-report.ts';
import type { ImageRecords } from './image-records.ts';
import type { JobLogs } from './job-logs.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { ObjectBody, ObjectStore } from './object-store.ts';
import type { QualityVerdicts } from './quality-verdicts.ts';
import type { ReleaseRecords } from './release/release-records.ts';
import type { RunStore } from './run-store.ts';
import type { Schedules } from './schedules.ts';
import type { TenantStore } from './tenant-store.ts';
import type { Workflows } from './workflows.ts';

/** What a promotion by an operator led to. */
export interface Promotion {
  readonly live: LiveModel;
  /** False when the bus did not take `Model Promoted`; the reconciler publishes it then. */
  readonly announced: boolean;
}

/** An execution to be started. */
export type StartRequest = Parameters<Workflows['start']>[0];

/** Why an execution is stopped, as its history shows it. */
export type StopReason = Parameters<Workflows['stop']>[1];

/** Settings of a map run that an operator changes. */
export type MapRunChanges = Parameters<Workflows['updateMapRun']>[1];

/** Names a tenant. */
export interface TenantRef {
  readonly tenantId: string;
}

/** A document to be kept below a tenant's own prefix. */
export interface DocumentUpload {
  readonly tenantId: string;
  /** Place below the prefix, with slashes. */
  readonly name: string;
  readonly body: ObjectBody;
}

/** Which model answers. Errors: lib/operations/models/promote-model.ts. */
export interface ModelActs {
  promote(request: TenantRef & { readonly modelVersion: string }): Promise<Promotion>;
  rollback(request: TenantRef): Promise<Promotion>;
}

/** Whose models are trained. Errors: lib/operations/tenants/change-tenant.ts. */
export interface TenantActs {
  add(tenant: NewTenant): Promise<Tenant>;
  update(request: TenantRef & { readonly changes: TenantChanges }): Promise<Tenant>;
  suspend(request: TenantRef): Promise<Tenant>;
  resume(request: TenantRef): Promise<Tenant>;
  remove(request: TenantRef): Promise<void>;
}

/** What runs. Errors: lib/operations/executions/steer-execution.ts. */
export interface ExecutionActs {
  start(request: StartRequest): Promise<{ readonly executionArn: string }>;
  redrive(execution: string): Promise<void>;
  stop(execution: string, reason: StopReason): Promise<void>;
  updateMapRun(mapRunArn: string, changes: MapRunChanges): Promise<void>;
}

/** Some hours, ISO 8601, without the second instant, and why something is decided about them. */
interface WindowOfHours {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** Whether data is good enough to train on. `TENANT_NOT_FOUND`, `INPUT_INVALID`. */
export interface QualityActs {
  open(request: TenantRef & { readonly reason: string; readonly hours: number }): Promise<GateOverride>;
  /** Also `QUALITY_NOT_LEARNT`. */
  accept(
    request: TenantRef & { readonly reason: string; readonly from?: string | undefined },
  ): Promise<{ readonly acceptedAt: string; readonly from: string }>;
  /** Also `QUALITY_NOT_LEARNT`. */
  exclude(request: TenantRef & WindowOfHours): Promise<TenantRef & Omit<WindowOfHours, 'reason'>>;
  /** Also `QUALITY_NOT_LEARNT`, `QUALITY_NO_DATASET`. */
  backfill(request: TenantRef & WindowOfHours): Promise<TenantRef & Omit<WindowOfHours, 'reason'>>;
}

/** How much capacity stands ready. Errors: lib/operations/scaling/override-capacity.ts. */
export interface ScalingActs {
  set(request: {
    readonly minReplicas: number;
    readonly reason: string;
    readonly hours: number;
  }): Promise<CapacityOverride>;
}

/** What begins by the clock. `SCHEDULE_NOT_FOUND`, `SCHEDULE_OFF`, `DATE_OUT_OF_RANGE`. */
export interface ScheduleActs {
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  fire(name: string, scheduledTime: string): Promise<void>;
}

/** With which images runs may begin. Errors: lib/operations/images/clear-image.ts. */
export interface ImageActs {
  clear(request: { readonly image: string }): Promise<ImageRecord>;
}

/** What is released. Errors: lib/operations/release/answer-act.ts. */
export interface ReleaseActs {
  get(releaseId: string): Promise<Release | undefined>;
  /** Has a release that is under way taken back. */
  rollback(request: { readonly releaseId: string; readonly reason: string }): Promise<Release>;
  /** Answers the act that waits, by its number. */
  answer(request: {
    readonly releaseId: string;
    readonly act: number;
    readonly outcome: 'done' | 'failed';
    readonly said: string;
  }): Promise<Release>;
  /** Says that an act is still being done; false when nobody waits for it any more. Not on record. */
  beat(request: { readonly releaseId: string; readonly act: number }): Promise<boolean>;
}

/**
 * Everything the command line and the console may do, whether the control plane is in this process, behind a socket, or AWS.
 * Queries are simple reads. Acts are use cases, each on record in the audit log under whom this port was opened for.
 */
export interface OperatorApi {
  readonly config: ServiceConfig;
  readonly clock: Clock;
  readonly workflows: Pick<
    Workflows,
    'machines' | 'describe' | 'list' | 'history' | 'mapRuns' | 'describeMapRun'
  > &
    ExecutionActs;
  readonly tenants: Pick<TenantStore, 'get' | 'list'> & TenantActs;
  readonly models: Pick<ModelRegistry, 'get' | 'list' | 'live'> & ModelActs;
  readonly schedules: Pick<Schedules, 'list'> & ScheduleActs;
  readonly images: Pick<ImageRecords, 'list'> & ImageActs;
  readonly releases: Pick<ReleaseRecords, 'list'> & ReleaseActs;
  readonly quality: Pick<QualityVerdicts, 'standing' | 'standings' | 'history' | 'partitions'> & QualityActs;
  /** `override`: what an operator last set, also when that is over; null when nobody ever did. */
  readonly scaling: { override(): Promise<CapacityOverride | null> } & ScalingActs;
  readonly runs: Pick<RunStore, 'getRun' | 'listRuns' | 'listAttempts'>;
  readonly objects: Pick<ObjectStore, 'get' | 'head' | 'list' | 'stream'>;
  /** Documents of a tenant that is about to be added: what is uploaded is on record with the tenant. */
  readonly documents: { put(upload: DocumentUpload): Promise<void> };
  readonly logs: JobLogs;
  readonly audit: Pick<AuditLog, 'list'>;
  /** `BACKUPS_ELSEWHERE` on AWS, where services make them. */
  readonly backups: Backups;
  /** Holds what is deployed against what is declared; absent where nothing is deployed. */
  check?(declared: Declared): Promise<EnvironmentReport>;
  close(): Promise<void>;
}
