/** A database instance as its service describes it. */
export interface DatabaseInstance {
  readonly id: string;
  readonly arn: string;
  /** The service's word: `available`, `creating`, `storage-full`, ... */
  readonly status: string;
  /** ISO 8601: the newest moment that it can be restored to in its own region. */
  readonly newest?: string;
  /** Where it listens; absent until the service knows it. */
  readonly endpoint?: { readonly host: string; readonly port: number };
  /** The secret that its service keeps the administrator's password in. */
  readonly secretArn?: string;
  readonly settings: DatabaseSettings;
  readonly tags: Readonly<Record<string, string>>;
}

/** Settings that a restore passes and reads back, because a restored instance has the service's defaults for what is not said. */
export interface DatabaseSettings {
  readonly subnetGroup: string;
  readonly securityGroups: readonly string[];
  readonly parameterGroup: string;
  readonly instanceClass: string;
  readonly multiAz: boolean;
  readonly deletionProtection: boolean;
  readonly iamAuthentication: boolean;
  readonly publiclyAccessible: boolean;
  readonly copyTagsToSnapshot: boolean;
  readonly retentionDays: number;
  readonly keyArn: string;
  /** Whether the service keeps the administrator's password. */
  readonly managedSecret: boolean;
}

/** A snapshot that somebody took or copied on purpose; the service never removes it. */
export interface DatabaseSnapshot {
  readonly id: string;
  readonly arn: string;
  readonly instance: string;
  /** The service's word: `available`, `creating`, `copying`, `failed`. */
  readonly status: string;
  /** Per cent. */
  readonly progress: number;
  /** ISO 8601: the moment that it holds; absent until the service knows it. */
  readonly takenAt?: string;
  readonly encrypted: boolean;
}

/** Automated backups of a database in a region: what it can be restored to there, to the second. */
export interface ContinuousBackup {
  readonly arn: string;
  /** The service's word: `active`, `replicating`, `retained`, ... */
  readonly status: string;
  /** ISO 8601. */
  readonly oldest?: string;
  readonly newest?: string;
  readonly keyArn?: string;
}

/** What the state of something means for who waits for it. */
export type Verdict =
  | { readonly state: 'absent' }
  | { readonly state: 'waiting'; readonly because: string }
  | { readonly state: 'ready' }
  | { readonly state: 'failed'; readonly because: string };

/** Words that a snapshot goes through on its way to `available`. */
const snapshotOnItsWay: ReadonlySet<string> = new Set(['creating', 'copying', 'pending', 'modifying']);

/** A snapshot that is not encrypted, or that holds no moment, is none. */
export function judgeSnapshot(found: DatabaseSnapshot | undefined): Verdict {
  if (!found) return { state: 'absent' };
  const { id, status, progress, takenAt, encrypted } = found;
  if (snapshotOnItsWay.has(status))
    return { state: 'waiting', because: `snapshot ${id} is ${status}, ${progress} %` };
  if (status !== 'available') return { state: 'failed', because: `snapshot ${id} is ${status}` };
  if (!encrypted) return { state: 'failed', because: `snapshot ${id} is not encrypted` };
  if (takenAt === undefined) return { state: 'failed', because: `snapshot ${id} holds no moment` };
  return { state: 'ready' };
}

/** Words after which an instance does not become available by itself. */
const instanceIsLost: ReadonlySet<string> = new Set([
  'failed',
  'incompatible-create',
  'incompatible-network',
  'incompatible-option-group',
  'incompatible-parameters',
  'incompatible-restore',
  'inaccessible-encryption-credentials',
  'insufficient-capacity',
  'restore-error',
  'storage-full',
  'deleting',
  'stopped',
]);

/** What an instance's word means for a restore; a word that is not known is waited for until the deadline. */
export function judgeInstance(found: Pick<DatabaseInstance, 'id' | 'status'> | undefined): Verdict {
  if (!found) return { state: 'absent' };
  const { id, status } = found;
  if (status === 'available') return { state: 'ready' };
  if (instanceIsLost.has(status)) return { state: 'failed', because: `database ${id} is ${status}` };
  return { state: 'waiting', because: `database ${id} is ${status}` };
}

/** Why something cannot be restored to any second in a region; undefined when it can. `wants` are the words of one that follows. */
export function continuousFault(
  found: ContinuousBackup | undefined,
  wants: readonly string[],
  region: string,
): string | undefined {
  if (!found) return `there are no continuous backups in ${region}`;
  const { status, newest } = found;
  if (!wants.includes(status)) return `continuous backups in ${region} are ${status}`;
  return newest === undefined ? `continuous backups in ${region} hold no moment yet` : undefined;
}
