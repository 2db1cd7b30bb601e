import type { DatabaseCopy, Manifest } from '../../backup/manifest.ts';
import type { DatabaseFinding } from '../../backup/verification.ts';

/** Where a point is restored to. Nobody can start what was not promoted. */
export interface RestoreTarget {
  /** Where it is, for people and for approval. */
  readonly place: string;
  /**
   * Refuses what must not be restored onto, before anything is written: `RESTORE_TARGET_LIVE`, `RESTORE_TARGET_NOT_EMPTY`, `DISK_FULL`
   * with the bytes that are needed and free.
   */
  check(bytes: number): Promise<void>;
  /** Begins with nothing: what an earlier restore left that was not promoted is removed. `RESTORE_UNDER_WAY`. */
  begin(): Promise<void>;
  putDatabase(name: DatabaseCopy['name'], content: AsyncIterable<Uint8Array>): Promise<void>;
  putObject(key: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Reads the databases back as they were put; call it before `recover`. */
  inspect(): Promise<readonly DatabaseFinding[]>;
  /** Objects and prefixes that model records name, as `bucket/key`. */
  pointers(): Promise<readonly string[]>;
  /** Whether an object, or below a prefix any object, is there and can be read to its end. */
  isReadable(pointer: string): Promise<boolean>;
  /** Bytes of an object that was put. */
  read(key: string): AsyncIterable<Uint8Array>;
  /**
   * Ends everything that was under way at the point and raises the epoch. Afterwards no execution is open, no attempt waits for a job,
   * no lease is held, no token is left.
   */
  recover(request: {
    readonly manifest: Manifest;
    readonly epoch: number;
    readonly actor: string;
  }): Promise<Recovered>;
  /** Refuses to promote while the state that was backed up is in use: `RESTORE_SOURCE_LIVE`. */
  checkSource(source: string): Promise<void>;
  /** Stops the jobs that the state which was backed up has left running: nobody waits for them any more. Gives how many processes. */
  stopJobs(source: string): Promise<number>;
  /** Makes it a state that can be started; all of it is on the disk before. */
  promote(): Promise<void>;
  /** Lets go; removes what was put unless it is to be kept. */
  close(options: { readonly keep: boolean }): Promise<void>;
}

/** What a recovery ended. */
export interface Recovered {
  readonly executions: number;
  readonly runs: number;
  readonly attempts: number;
}
