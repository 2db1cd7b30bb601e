import type { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { RdsStandIn } from '../aws/rds-stand-in.ts';
import { account, region } from '../fixtures/aws-base.ts';
import { resources } from './requests.ts';

/** Both regions can restore the database to now. */
export function followDatabases(rds: RdsStandIn, clock: Pick<VirtualClock, 'now'>): void {
  for (const [where, Status] of [
    [region, 'active'],
    ['us-east-1', 'replicating'],
  ] as const)
    rds.region(where).backups.set(resources.database, {
      Status,
      RestoreWindow: { EarliestTime: new Date(0), LatestTime: new Date(clock.now()) },
      KmsKeyId: resources.replicaKey,
      DBInstanceAutomatedBackupsArn: `arn:aws:rds:${where}:${account}:auto-backup:ab-1`,
    });
}

/** A database in both regions, that both keep continuous backups of. */
export function databasesOf(clock: VirtualClock): RdsStandIn {
  const rds = new RdsStandIn(clock);
  rds.region(region).instances.set(resources.database, {
    DBInstanceIdentifier: resources.database,
    DBInstanceStatus: 'available',
    StorageEncrypted: true,
    MasterUserSecret: {},
  });
  followDatabases(rds, clock);
  rds.region('us-east-1').keys.add(resources.replicaKey);
  rds.region('us-east-1').groups.add(resources.landing);
  return rds;
}
