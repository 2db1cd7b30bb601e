import type { Heartbeat } from '../../backup/cloud/heartbeat.ts';

/** The heartbeat in a database. Errors: `DATABASE_UNREACHABLE`, without what it was asked with. */
export interface DatabaseHeartbeat {
  /** Puts it in place of an older one; a newer one stays. What it answers is on the disk. */
  beat(heartbeat: Heartbeat): Promise<void>;
  /** Undefined when none was ever written. */
  newest(): Promise<Heartbeat | undefined>;
}

/** Where a database listens. */
export interface DatabaseEndpoint {
  readonly host: string;
  readonly port: number;
}

/** Heartbeats in databases, as far as this process reaches their networks. */
export interface DatabaseHeartbeats {
  /** That of the live database; absent where functions are not in its network. */
  readonly live?: DatabaseHeartbeat;
  /** That of a restored one; absent outside the region of the replicas. */
  readonly restored?: (endpoint: DatabaseEndpoint) => DatabaseHeartbeat;
}
