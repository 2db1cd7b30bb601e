import type { ObjectStore } from '../object-store.ts';

/**
 * Objects as they arrived in the other region, and what is done there itself: the ledger of heartbeats
 * is written, and what nobody can restore any more is removed.
 */
export interface ReplicaObjects {
  readonly bucket: string;
  readonly objects: Pick<ObjectStore, 'get' | 'head' | 'stream' | 'list' | 'put' | 'delete'>;
}
