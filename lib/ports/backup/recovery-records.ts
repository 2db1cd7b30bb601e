import type { Heartbeat } from '../../backup/cloud/heartbeat.ts';
import type { RecoveryRecord } from '../../backup/cloud/records.ts';

/**
 * What is known of backups and restores: points, drills, restores, and who waits for what. Everything is read as it is, never as it
 * was a moment ago.
 */
export interface RecoveryRecords {
  /** Writes a record, in place of one of the same kind and id. */
  put(record: RecoveryRecord): Promise<void>;
  /** The newest records of a kind, newest first; ids sort by time. */
  newest<K extends RecoveryRecord['kind']>(
    kind: K,
    limit: number,
  ): Promise<Extract<RecoveryRecord, { kind: K }>[]>;
  /** One record of a kind. */
  get<K extends RecoveryRecord['kind']>(
    kind: K,
    id: string,
  ): Promise<Extract<RecoveryRecord, { kind: K }> | undefined>;
  /** Restores that these records have behind them. */
  epoch(): Promise<Epoch>;
  /** Puts a heartbeat in place of an older one; a newer one stays. */
  beat(heartbeat: Heartbeat): Promise<void>;
  /** The newest heartbeat; undefined when none was ever written. */
  heartbeat(): Promise<Heartbeat | undefined>;
  /** Notes who waits for something, by its identifier, in place of who waited before. */
  wait(waiter: Waiter): Promise<void>;
  /** Who waits for something; undefined when nobody does. */
  waiter(resource: string): Promise<Waiter | undefined>;
  /** Nobody waits for it any more, unless somebody else does by now. */
  endWait(waiter: Waiter): Promise<void>;
}

/** Where records are in the line of restores. */
export interface Epoch {
  readonly epoch: number;
  /** The epoch of a restored state that goes on instead of these records. */
  readonly supersededBy?: number;
}

/** A state that waits. */
export interface Waiter {
  /** `<region>/<kind>/<id>`. */
  readonly resource: string;
  /** A secret. */
  readonly taskToken: string;
  /** ISO 8601. */
  readonly deadline: string;
}
