import type {
  ContinuousBackup,
  DatabaseInstance,
  DatabaseSettings,
  DatabaseSnapshot,
} from '../../backup/cloud/resources.ts';

/** Tags that name what Epsilon made. */
export type Tags = Readonly<Record<string, string>>;

/**
 * The service that runs the database, in one region. What changes something answers before it is done; how it ended is seen by looking
 * again. Errors: `ResourceBusy` when the service cannot take it now but will (a busy instance, a quota, too many copies), with the
 * reason; asking again for what is there already is no error.
 */
export interface DatabaseService {
  readonly region: string;
  /** Undefined when there is none. */
  instance(id: string): Promise<DatabaseInstance | undefined>;
  /** Undefined when there is none. */
  snapshot(id: string): Promise<DatabaseSnapshot | undefined>;
  /** Snapshots that were taken or copied on purpose and whose ids begin so. */
  snapshots(prefix: string): Promise<DatabaseSnapshot[]>;
  /** Automated backups of a database that are kept in this region, its own or replicated; undefined when there are none. */
  continuousBackup(database: string): Promise<ContinuousBackup | undefined>;
  /** Begins a snapshot of an instance of this region. `DATABASE_NOT_FOUND`. */
  takeSnapshot(request: {
    readonly instance: string;
    readonly id: string;
    readonly tags: Tags;
  }): Promise<void>;
  /** Begins to copy a snapshot of another region (`from`: its ARN) into this one, under a key of this region. `KMS_KEY_UNUSABLE`. */
  copySnapshot(request: {
    readonly from: string;
    readonly id: string;
    readonly keyArn: string;
    readonly tags: Tags;
  }): Promise<void>;
  /** Removing what is not there is no error. */
  removeSnapshot(id: string): Promise<void>;
  /**
   * Begins to make a new instance of automated backups of this region. `RESTORE_TARGET_NOT_EMPTY` when the id is taken,
   * `RESTORE_POINT_OUT_OF_RANGE`, `RESTORE_SETTING_MISSING` when a group or key is not in this region.
   */
  restore(request: DatabaseRestore): Promise<void>;
  /**
   * Begins to remove an instance and its automated backups, without a last snapshot; what is not there is no error, `ResourceBusy`
   * while it is being made.
   */
  removeInstance(id: string): Promise<void>;
}

/** A new instance as of a moment. */
export interface DatabaseRestore {
  /** Automated backups of this region. */
  readonly from: string;
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly settings: Omit<DatabaseSettings, 'keyArn'>;
  /** Key of the administrator's password. */
  readonly secretKeyArn: string;
  readonly tags: Tags;
}

/** The database of the environment in both regions. */
export interface Databases {
  /** Identifier of the one that is live. */
  readonly id: string;
  readonly home: DatabaseService;
  /** The region of the replicas. */
  readonly there: DatabaseService;
  /** Key of data at rest in the region of the replicas. */
  readonly keyArn: string;
  /** What a restored database has of the region of the replicas. */
  readonly landing: Landing;
}

/** Settings of a database that belong to a region. */
export type Landing = Pick<DatabaseSettings, 'subnetGroup' | 'parameterGroup' | 'securityGroups' | 'keyArn'>;
