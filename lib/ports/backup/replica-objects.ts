import type { ObjectStore } from '../object-store.ts';

/** Objects as they arrived in the other region, and what is written there itself: the ledger of heartbeats. */
export interface ReplicaObjects {
  readonly bucket: string;
  readonly objects: Pick<ObjectStore, 'get' | 'head' | 'stream' | 'list' | 'put'>;
}
