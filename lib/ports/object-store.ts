/** What is known of an object without reading it. */
export interface ObjectInfo {
  readonly uri: string;
  readonly size: number;
  /** Milliseconds since the Unix epoch. */
  readonly modifiedAt: number;
}

/** Conditions of a write. */
export interface PutOptions {
  readonly contentType?: string;
  /** Write only when nothing is there yet; otherwise `ConditionFailed`. */
  readonly ifAbsent?: boolean;
}

/** What a copier knows of the object it copies. */
export interface CopyOptions {
  /** Size of the source in bytes, as a list gives it; saves asking for it. */
  readonly size?: number;
}

/** How much of an object is read. */
export interface GetOptions {
  /** At most so many bytes; 1 or more. */
  readonly first?: number;
  /** Where they begin; with `first` alone. 0 where it is absent. */
  readonly from?: number;
}

/** Where a list begins. */
export interface ListOptions {
  /** Keys after this one alone, given below the prefix: `list('s3://b/t1/', { after: 'm' })` leaves out `t1/a` and `t1/m`. */
  readonly after?: string;
}

/** What an object is made of: all of it, or pieces in order, which never lie in memory together. */
export type ObjectBody = Uint8Array | string | AsyncIterable<Uint8Array>;

/**
 * Objects under `s3://bucket/key` URIs. A write is all or nothing: readers see the old object or the whole new one.
 * Errors: `OBJECT_NOT_FOUND` (NotFound), `OBJECT_URI_INVALID`, `PREFIX_UNSAFE` (a prefix without trailing slash).
 */
export interface ObjectStore {
  get(uri: string, options?: GetOptions): Promise<Uint8Array>;
  /** An object's bytes in pieces, in order, of one version of it. Errors come with the first piece. */
  stream(uri: string): AsyncIterable<Uint8Array>;
  /** Pieces that throw leave no object. */
  put(uri: string, body: ObjectBody, options?: PutOptions): Promise<void>;
  head(uri: string): Promise<ObjectInfo | undefined>;
  /** All objects below a prefix that ends in "/", in key order. */
  list(prefixUri: string, options?: ListOptions): AsyncIterable<ObjectInfo>;
  /** Copies an object of any size; `OBJECT_NOT_FOUND` when there is none. What a reader finds is the old object or the whole copy. */
  copy(fromUri: string, toUri: string, options?: CopyOptions): Promise<void>;
  /** Deleting what is not there is no error. */
  delete(uri: string): Promise<void>;
}
