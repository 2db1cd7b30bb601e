import type { Release } from '../../release/release.ts';

/** A release with the token of the act that waits, which only `open` can read. */
export interface SealedRelease extends Release {
  readonly sealedToken?: string;
}

/** Which releases there were: `RELEASES / releaseId`. Everything is read as it is, never as it was a moment ago. */
export interface ReleaseRecords {
  /** A release, with the sealed token of its act that waits. */
  get(releaseId: string): Promise<SealedRelease | undefined>;
  /** All releases without tokens, the newest first. */
  list(): Promise<Release[]>;
  /** Writes version n + 1 over version n (0: there is none); `ConditionFailed` when another version is there. */
  put(release: SealedRelease, expectedVersion: number): Promise<void>;
  /** A token as a record of this release may hold it: no other record's opens. */
  seal(releaseId: string, taskToken: string): Promise<string>;
  /** The token of a release; undefined when it has none, or none that opens for it. */
  open(release: SealedRelease): Promise<string | undefined>;
  /** Makes a release the one under way when none is, or `instead` is; gives the one that then is. Repeating it changes nothing. */
  begin(request: { readonly releaseId: string; readonly instead?: string }): Promise<string>;
  /** No release is under way any more, if it was this one. */
  end(releaseId: string): Promise<void>;
}
