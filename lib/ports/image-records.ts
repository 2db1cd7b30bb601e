import type { ImageRecord } from '../training/images.ts';

/** Which images jobs can be started by: `IMAGES / image`. Everything is read as it is, never as it was a moment ago. */
export interface ImageRecords {
  /** The records of these images, in any order; images without a record are left out. */
  find(images: readonly string[]): Promise<ImageRecord[]>;
  /** All records, by image. */
  list(): Promise<ImageRecord[]>;
  /** Writes version n + 1 over version n (0: there is none); `ConditionFailed` when another version is there. */
  put(record: ImageRecord, expectedVersion: number): Promise<void>;
}
