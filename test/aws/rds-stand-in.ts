import type {
  CopyDBSnapshotMessage,
  CreateDBSnapshotMessage,
  DBInstance,
  DBInstanceAutomatedBackup,
  DBSnapshot,
  DescribeDBSnapshotsMessage,
  RDSClient,
  RestoreDBInstanceToPointInTimeMessage,
} from '@aws-sdk/client-rds';
import type { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { account } from '../fixtures/aws-base.ts';
import { sdkError } from './batch-stand-in.ts';

const minute = 60_000;

/** What becomes of something that takes time, and how many minutes it takes. */
export interface RdsFate {
  readonly minutes: number;
  /** The service's word at the end. */
  readonly ends: string;
}

interface Region {
  readonly instances: Map<string, DBInstance>;
  readonly snapshots: Map<string, DBSnapshot>;
  readonly backups: Map<string, DBInstanceAutomatedBackup>;
  readonly keys: Set<string>;
  readonly groups: Set<string>;
}

/** RDS in several regions under virtual time: what is asked is checked as the service does, and ends later, or badly. */
export class RdsStandIn {
  readonly calls: { readonly region: string; readonly command: string; readonly input: unknown }[] = [];
  readonly #regions = new Map<string, Region>();
  readonly #refusals: { readonly command: string; readonly error: Error }[] = [];
  readonly clock: VirtualClock;
  fate: (kind: 'snapshot' | 'copy' | 'restore', id: string) => RdsFate = (kind) => ({
    minutes: { snapshot: 10, copy: 40, restore: 90 }[kind],
    ends: 'available',
  });
  /** Hears of what ended, as EventBridge would; nobody, while events are lost. */
  onEvent: (region: string, id: string) => void = () => {};
  /** Manual snapshots that a region may have. */
  quota = 100;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  region(name: string): Region {
    const there = this.#regions.get(name) ?? {
      instances: new Map(),
      snapshots: new Map(),
      backups: new Map(),
      keys: new Set<string>(),
      groups: new Set<string>(),
    };
    this.#regions.set(name, there);
    return there;
  }

  /** A call is refused so often, before anything happens. */
  refuse(command: string, error: string, times = 1): void {
    for (let index = 0; index < times; index += 1) this.#refusals.push({ command, error: sdkError(error) });
  }

  client(region: string): RDSClient {
    const send = async (command: { readonly input: unknown }) =>
      this.answer(region, command.constructor.name.replace(/Command$/, ''), command.input);
    return { send } as unknown as RDSClient;
  }

  answer(region: string, command: string, input: unknown): object {
    this.calls.push({ region, command, input });
    const refused = this.#refusals.findIndex((one) => one.command === command);
    const [refusal] = refused < 0 ? [] : this.#refusals.splice(refused, 1);
    if (refusal) throw refusal.error;
    const answers: Readonly<Record<string, (given: never) => object>> = {
      DescribeDBInstances: ({ DBInstanceIdentifier: id }: { DBInstanceIdentifier: string }) => ({
        DBInstances: [this.#there(this.region(region).instances, id, 'DBInstanceNotFoundFault')],
      }),
      DescribeDBSnapshots: (asked: DescribeDBSnapshotsMessage) => this.#snapshots(region, asked),
      DescribeDBInstanceAutomatedBackups: ({
        DBInstanceIdentifier: id,
      }: {
        DBInstanceIdentifier: string;
      }) => ({
        DBInstanceAutomatedBackups: [this.region(region).backups.get(id)].filter((one) => one !== undefined),
      }),
      CreateDBSnapshot: (asked: CreateDBSnapshotMessage) => this.#take(region, asked),
      CopyDBSnapshot: (asked: CopyDBSnapshotMessage) => this.#copy(region, asked),
      DeleteDBSnapshot: ({ DBSnapshotIdentifier: id }: { DBSnapshotIdentifier: string }) => {
        this.#there(this.region(region).snapshots, id, 'DBSnapshotNotFoundFault');
        this.region(region).snapshots.delete(id);
        return {};
      },
      RestoreDBInstanceToPointInTime: (asked: RestoreDBInstanceToPointInTimeMessage) =>
        this.#restore(region, asked),
      DeleteDBInstance: ({ DBInstanceIdentifier: id }: { DBInstanceIdentifier: string }) => {
        const found = this.#there(this.region(region).instances, id, 'DBInstanceNotFoundFault');
        if (found.DBInstanceStatus === 'creating') throw sdkError('InvalidDBInstanceStateFault');
        if (found.DeletionProtection)
          throw sdkError('InvalidParameterCombination', 'deletion protection is on');
        this.region(region).instances.delete(id);
        return {};
      },
    };
    const answer = answers[command];
    if (!answer) throw new Error(`No stand-in answers ${command}.`);
    return answer(input as never);
  }

  #there<T>(all: Map<string, T>, id: string, error: string): T {
    const found = all.get(id);
    if (!found) throw sdkError(error, `${id} not found`);
    return found;
  }

  #arn(region: string, kind: string, id: string): string {
    return `arn:aws:rds:${region}:${account}:${kind}:${id}`;
  }

  #later(minutes: number, end: () => void, region: string, id: string): void {
    this.clock.setTimer(minutes * minute, () => {
      end();
      this.onEvent(region, id);
    });
  }

  #snapshots(region: string, { DBSnapshotIdentifier: id }: DescribeDBSnapshotsMessage): object {
    const { snapshots } = this.region(region);
    if (id === undefined) return { DBSnapshots: [...snapshots.values()] };
    return { DBSnapshots: [this.#there(snapshots, id, 'DBSnapshotNotFoundFault')] };
  }

  #keep(region: string, kind: 'snapshot' | 'copy', made: DBSnapshot): object {
    const { snapshots } = this.region(region);
    const id = made.DBSnapshotIdentifier ?? '';
    if (snapshots.has(id)) throw sdkError('DBSnapshotAlreadyExistsFault');
    if (snapshots.size >= this.quota) throw sdkError('SnapshotQuotaExceededFault');
    snapshots.set(id, made);
    const { minutes, ends } = this.fate(kind, id);
    const end = () => {
      const at = new Date(this.clock.now() - minutes * minute);
      snapshots.set(id, {
        ...made,
        Status: ends,
        PercentProgress: ends === 'available' ? 100 : 0,
        SnapshotCreateTime: at,
        OriginalSnapshotCreateTime: made.OriginalSnapshotCreateTime ?? at,
      });
    };
    this.#later(minutes, end, region, id);
    return { DBSnapshot: made };
  }

  #take(region: string, asked: CreateDBSnapshotMessage): object {
    const { DBInstanceIdentifier: of = '', DBSnapshotIdentifier: id = '' } = asked;
    const instance = this.#there(this.region(region).instances, of, 'DBInstanceNotFoundFault');
    if (instance.DBInstanceStatus !== 'available')
      throw sdkError('InvalidDBInstanceStateFault', `${of} is busy`);
    return this.#keep(region, 'snapshot', {
      DBSnapshotIdentifier: id,
      DBSnapshotArn: this.#arn(region, 'snapshot', id),
      DBInstanceIdentifier: of,
      Status: 'creating',
      PercentProgress: 0,
      Encrypted: instance.StorageEncrypted,
    });
  }

  #copy(region: string, asked: CopyDBSnapshotMessage): object {
    const {
      SourceDBSnapshotIdentifier: from = '',
      TargetDBSnapshotIdentifier: id = '',
      KmsKeyId: key = '',
    } = asked;
    const [, , , source = ''] = from.split(':');
    const there = this.#there(
      this.region(source).snapshots,
      from.split(':').at(-1) ?? '',
      'DBSnapshotNotFoundFault',
    );
    if (!this.region(region).keys.has(key)) throw sdkError('KMSKeyNotAccessibleFault', `key ${key}`);
    if (there.Status !== 'available') throw sdkError('InvalidDBSnapshotStateFault');
    return this.#keep(region, 'copy', {
      ...there,
      DBSnapshotIdentifier: id,
      DBSnapshotArn: this.#arn(region, 'snapshot', id),
      Status: 'copying',
      PercentProgress: 0,
      KmsKeyId: key,
    });
  }

  #restore(region: string, asked: RestoreDBInstanceToPointInTimeMessage): object {
    const {
      TargetDBInstanceIdentifier: id = '',
      SourceDBInstanceAutomatedBackupsArn: arn,
      RestoreTime: at,
    } = asked;
    const { instances, backups, groups } = this.region(region);
    if (instances.has(id)) throw sdkError('DBInstanceAlreadyExistsFault');
    const from = [...backups.values()].find((one) => one.DBInstanceAutomatedBackupsArn === arn);
    if (!from) throw sdkError('DBInstanceAutomatedBackupNotFoundFault');
    const { EarliestTime: first = new Date(0), LatestTime: last = new Date(0) } = from.RestoreWindow ?? {};
    if (!at || at < first || at > last)
      throw sdkError('InvalidParameterValue', 'The restore time is outside the restore window.');
    if (!groups.has(asked.DBSubnetGroupName ?? 'default')) throw sdkError('DBSubnetGroupNotFoundFault');
    if (!groups.has(asked.DBParameterGroupName ?? 'default')) throw sdkError('DBParameterGroupNotFoundFault');
    const { minutes, ends } = this.fate('restore', id);
    const made: DBInstance = {
      DBInstanceIdentifier: id,
      DBInstanceArn: this.#arn(region, 'db', id),
      DBInstanceStatus: 'creating',
      Endpoint: { Address: `${id}.${region}.rds`, Port: 5432 },
      DBInstanceClass: asked.DBInstanceClass,
      MultiAZ: asked.MultiAZ ?? false,
      DeletionProtection: asked.DeletionProtection ?? false,
      PubliclyAccessible: asked.PubliclyAccessible ?? true,
      IAMDatabaseAuthenticationEnabled: asked.EnableIAMDatabaseAuthentication ?? false,
      CopyTagsToSnapshot: asked.CopyTagsToSnapshot ?? false,
      BackupRetentionPeriod: asked.BackupRetentionPeriod ?? 1,
      StorageEncrypted: true,
      KmsKeyId: from.KmsKeyId,
      DBSubnetGroup: { DBSubnetGroupName: asked.DBSubnetGroupName },
      DBParameterGroups: [{ DBParameterGroupName: asked.DBParameterGroupName }],
      VpcSecurityGroups: (asked.VpcSecurityGroupIds ?? []).map((group) => ({ VpcSecurityGroupId: group })),
      ...(asked.ManageMasterUserPassword ? { MasterUserSecret: { SecretStatus: 'active' } } : {}),
      TagList: asked.Tags,
    };
    instances.set(id, made);
    const end = () => {
      if (instances.has(id)) instances.set(id, { ...made, DBInstanceStatus: ends });
    };
    this.#later(minutes, end, region, id);
    return { DBInstance: made };
  }
}
