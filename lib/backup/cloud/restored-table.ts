/** A table as its service describes it, as far as a restore has to set it again. */
export interface RestoredTable {
  readonly name: string;
  readonly arn: string;
  /** The service's word: `ACTIVE`, `CREATING`, ... */
  readonly status: string;
  /** Attribute of the time to live, when it is on. */
  readonly ttlAttribute?: string;
  /** Whether it can be restored to any second. */
  readonly recoverable: boolean;
  readonly deletionProtection: boolean;
  readonly tags: Readonly<Record<string, string>>;
  /** As of the service's last count, hours old at times. */
  readonly items: number;
}
