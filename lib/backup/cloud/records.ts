import type { DatabaseSettings } from './resources.ts';

/** The newest moment that a store can be restored to in the other region; without one, why. */
export interface StoreReach {
  /** ISO 8601. */
  readonly oldest?: string;
  readonly newest?: string;
  /** What is wrong with it; empty when nothing is. */
  readonly faults: readonly string[];
}

/** Stores that are restored together. */
export const storeNames = ['database', 'table', 'objects'] as const;

/** A store that is restored. */
export type StoreName = (typeof storeNames)[number];

/** Which shape the table's records have, as the code says that wrote them. */
export interface RecordsSchema {
  /** Changes that the shape has seen. */
  readonly version: number;
  /** The lowest version of the shape whose code still understands these records. */
  readonly readableFrom: number;
}

/** What one pass found that could be restored. */
export interface PointRecord {
  readonly kind: 'point';
  /** ISO 8601: when it was looked at. */
  readonly id: string;
  readonly stores: Readonly<Record<StoreName, StoreReach>>;
  /** ISO 8601: the newest moment that all stores can be restored to; absent while one of them cannot. */
  readonly newest?: string;
  readonly oldest?: string;
  /** Objects that were read at the destination, and what was found. */
  readonly objects: ObjectsFound;
  /** Settings of the live database, which a restored one has to have again; absent when there was none. */
  readonly databaseSettings?: DatabaseSettings;
  /** Shape of the records by then; absent on older points. */
  readonly schema?: RecordsSchema;
  /** Export of the settings, as an object's URI. */
  readonly export: string;
}

/** What reading objects at the destination found. */
export interface ObjectsFound {
  /** Objects and prefixes that live and previous models name. */
  readonly named: number;
  readonly read: number;
  readonly bytes: number;
  /** Those that a later pass reads. */
  readonly left: number;
  /** Those that differed at the destination and were replaced by the source's; absent on older records. */
  readonly mended?: readonly string[];
  /** What events told of failed replication since a repair began; a hint, which keeps no point from being offered. */
  readonly told?: readonly string[];
  /** Missing or different at the destination, by key. */
  readonly faults: readonly string[];
}

/** A model whose objects were read at the destination and matched. */
export interface ReplicatedRecord {
  readonly kind: 'replicated';
  /** Tenant. */
  readonly id: string;
  readonly modelVersion: string;
  readonly at: string;
}

/** A repair of the replication of objects. */
export interface RepairRecord {
  readonly kind: 'repair';
  /** ISO 8601: when it was begun. */
  readonly id: string;
  /** The service's id of it. */
  readonly jobId: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly objects?: number;
  readonly failed?: number;
  readonly because?: string;
}

/** How a drill ended. */
export interface DrillRecord {
  readonly kind: 'drill';
  /** ISO 8601: when it began. */
  readonly id: string;
  readonly passed: boolean;
  /** ISO 8601: the moment that it restored. */
  readonly point: string;
  readonly finishedAt: string;
  readonly faults: readonly string[];
}

/** Where something is restored to: new names in the region of the replicas, and the bucket that is there already. */
export interface RestorePlace {
  readonly region: string;
  readonly database: string;
  readonly table: string;
  readonly bucket: string;
}

/** One thing that a verification looked at: how many of it there were, and what was wrong. */
export interface RestoreCheck {
  readonly name: string;
  readonly count: number;
  readonly faults: readonly string[];
}

/** What restored heartbeats say, beside the ledger that was kept outside the stores. */
export interface HeartbeatFigures {
  /** Numbers that were found, by store, and those that the ledger has of them. */
  readonly restored: Partial<Readonly<Record<StoreName, number>>>;
  readonly acknowledged: Partial<Readonly<Record<StoreName, number>>>;
  /** Minutes of acknowledged work that the worst store lacks; absent while the ledger has nothing of what was read. */
  readonly lossMinutes?: number;
  /** Minutes between the store that reaches furthest and the one that is furthest behind. */
  readonly skewMinutes?: number;
}

/** A restore: what is restored where, and what of it was found. */
export interface RestoreRecord {
  readonly kind: 'restore';
  readonly id: string;
  readonly drill: boolean;
  /** ISO 8601: the moment of all stores. */
  readonly point: string;
  readonly beganAt: string;
  /** ISO 8601: not restored by then is a failure. */
  readonly deadline: string;
  readonly target: RestorePlace;
  /** ARN of the automated backups that the database is made of. */
  readonly databaseFrom: string;
  readonly databaseSettings: DatabaseSettings;
  readonly state: 'restoring' | 'verified' | 'failed' | 'promoted' | 'serving' | 'removed';
  readonly checks?: readonly RestoreCheck[];
  /** ISO 8601: when it was read back, and how many bytes of what pointers name. */
  readonly verifiedAt?: string;
  readonly bytesRead?: number;
  /** How far the restored stores reach, beside what was acknowledged. */
  readonly heartbeats?: HeartbeatFigures;
  /** What has to be approved. */
  readonly digest?: string;
  readonly epoch?: number;
}

/** Where the records go on since a promotion: what consumers read at run time. */
export interface PlaceRecord {
  readonly kind: 'place';
  readonly id: typeof currentPlace;
  readonly epoch: number;
  /** The restore that was promoted. */
  readonly restore: string;
  readonly region: string;
  readonly table: string;
  readonly bucket: string;
  readonly database: string;
  /** `host:port` of the database, and the secret with its administrator's password, as its service said. */
  readonly endpoint?: string;
  readonly secretArn?: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Id of the one record that says where records go on. */
export const currentPlace = 'current';

/** A consumer that works on the promoted records: its write into them. */
export interface ConsumerRecord {
  readonly kind: 'consumer';
  /** Function. */
  readonly id: string;
  readonly epoch: number;
  readonly bucket: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What is kept of backups and restores. */
export type RecoveryRecord =
  | PointRecord
  | ReplicatedRecord
  | RepairRecord
  | DrillRecord
  | RestoreRecord
  | PlaceRecord
  | ConsumerRecord;

/** The newest moment of all stores together, and the oldest: T may be no newer than the newest of any. */
export function reachOfAll(stores: PointRecord['stores']): Pick<PointRecord, 'newest' | 'oldest'> {
  const reaches = storeNames.map((name) => stores[name]);
  const whole = reaches.every(({ newest, faults }) => newest !== undefined && faults.length === 0);
  if (!whole) return {};
  const times = (which: 'newest' | 'oldest') =>
    reaches.flatMap((reach) => (reach[which] === undefined ? [] : [reach[which]])).sort();
  const [newest] = times('newest');
  const oldest = times('oldest').at(-1);
  return { ...(newest === undefined ? {} : { newest }), ...(oldest === undefined ? {} : { oldest }) };
}
