import type { ObjectStore } from '../object-store.ts';

/** Objects as they arrived in the other region. */
export interface ReplicaObjects {
  readonly bucket: string;
  readonly objects: Pick<ObjectStore, 'get' | 'head' | 'stream' | 'list'>;
}
