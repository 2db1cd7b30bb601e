import { Instance } from '@pulumi/aws/rds/instance.js';
import { InstanceAutomatedBackupsReplication } from '@pulumi/aws/rds/instanceAutomatedBackupsReplication.js';
import { ParameterGroup } from '@pulumi/aws/rds/parameterGroup.js';
import { SubnetGroup } from '@pulumi/aws/rds/subnetGroup.js';
import { SecretRotation } from '@pulumi/aws/secretsmanager/secretRotation.js';
import type { Output } from '@pulumi/pulumi';
import { groupFor } from './endpoints.ts';
import { createIdentity, trustHost } from './identity.ts';
import type { Keys } from './keys.ts';
import type { Network } from './network.ts';
import type { Site } from './site.ts';

/** The database and the secret AWS keeps its credentials in. */
export interface Database {
  readonly instance: Instance;
  readonly secretArn: Output<string>;
}

/** Parameters of the database, and of one that is restored from its backups. */
export const databaseParameters = [
  { name: 'rds.force_ssl', value: '1' },
  { name: 'log_statement', value: 'ddl' },
  { name: 'log_min_duration_statement', value: '1000' },
];

function createParameters(site: Site): ParameterGroup {
  return new ParameterGroup(
    site.name('postgres15'),
    {
      name: site.name('postgres15'),
      family: 'postgres15',
      parameters: databaseParameters,
    },
    site.here,
  );
}

function keepRecoverable(site: Site, instance: Instance, keys: Keys): void {
  new InstanceAutomatedBackupsReplication(
    site.name('backups'),
    {
      sourceDbInstanceArn: instance.arn,
      retentionPeriod: site.config.database.backupRetentionDays,
      kmsKeyId: keys.replica.arn,
    },
    { ...site.there, protect: true },
  );
}

/** Settings that a database has wherever it is, and that a restore passes (lib/operations/backup/restore-steps.ts). */
function settingsOf(site: Site) {
  const { database } = site.config;
  return {
    engine: 'postgres',
    // The major alone: AWS chooses the newest 15.x and keeps it patched.
    engineVersion: '15',
    autoMinorVersionUpgrade: true,
    instanceClass: database.instanceClass,
    allocatedStorage: database.allocatedStorage,
    storageType: 'gp3',
    storageEncrypted: true,
    multiAz: database.multiAz,
    manageMasterUserPassword: true,
    iamDatabaseAuthenticationEnabled: true,
    publiclyAccessible: false,
    backupRetentionPeriod: database.backupRetentionDays,
    copyTagsToSnapshot: true,
    deletionProtection: true,
  };
}

/** What of the other region a restored database is in (infra/pulumi/recovery.ts). */
interface Place {
  readonly subnetGroup: Output<string>;
  readonly parameterGroup: Output<string>;
  readonly securityGroupId: Output<string>;
}

/**
 * Takes over a database that was restored in the other region, as it is: what it was restored with is what stands here, so that a plan
 * after it replaces nothing. Nothing where the settings name none.
 */
export function importDatabase(site: Site, landing: Place, keys: Keys): void {
  const { restoredDatabase: identifier } = site.config;
  if (identifier === undefined) return;
  new Instance(
    site.name('restored-database'),
    {
      identifier,
      ...settingsOf(site),
      kmsKeyId: keys.replica.arn,
      masterUserSecretKmsKeyId: keys.replica.arn,
      dbSubnetGroupName: landing.subnetGroup,
      vpcSecurityGroupIds: [landing.securityGroupId],
      parameterGroupName: landing.parameterGroup,
      skipFinalSnapshot: false,
      finalSnapshotIdentifier: `${identifier}-final`,
    },
    // What its automated backups brought along stays as they had it.
    {
      ...site.there,
      protect: true,
      import: identifier,
      ignoreChanges: ['engineVersion', 'allocatedStorage', 'dbName', 'username', 'tags', 'tagsAll'],
    },
  );
}

/** Creates PostgreSQL 15 with point-in-time recovery here and replicated in the other region; no password passes through us. */
export function createDatabase(site: Site, network: Network, keys: Keys): Database {
  const { nameSuffix } = site.config;
  const identifier = `embeddings-saas-db${nameSuffix}`;
  const subnets = new SubnetGroup(
    identifier,
    { name: identifier, subnetIds: network.privateSubnetIds },
    site.here,
  );
  const monitor = createIdentity(site, 'database-monitor', {
    trust: [trustHost('monitoring.rds.amazonaws.com')],
    managed: ['service-role/AmazonRDSEnhancedMonitoringRole'],
  });
  const instance = new Instance(
    identifier,
    {
      identifier,
      ...settingsOf(site),
      kmsKeyId: keys.data.arn,
      dbName: 'embeddings_saas',
      username: 'epsilon_admin',
      masterUserSecretKmsKeyId: keys.data.arn,
      dbSubnetGroupName: subnets.name,
      vpcSecurityGroupIds: [groupFor(site, network, 'database', 5432).id],
      parameterGroupName: createParameters(site).name,
      // Before the nightly training at 02:00 UTC, and away from maintenance.
      backupWindow: '00:00-01:00',
      maintenanceWindow: 'sun:09:00-sun:10:00',
      deleteAutomatedBackups: false,
      skipFinalSnapshot: false,
      finalSnapshotIdentifier: `${identifier}-final`,
      enabledCloudwatchLogsExports: ['postgresql', 'upgrade'],
      monitoringInterval: 60,
      monitoringRoleArn: monitor.arn,
      performanceInsightsEnabled: true,
      performanceInsightsKmsKeyId: keys.data.arn,
    },
    // AWS upgrades the minor; the next run must not take it back.
    { ...site.here, protect: true, dependsOn: [...monitor.ready], ignoreChanges: ['engineVersion'] },
  );
  const secretArn = instance.masterUserSecrets.apply((secrets) => secrets[0]?.secretArn ?? '');
  new SecretRotation(
    identifier,
    { secretId: secretArn, rotationRules: { automaticallyAfterDays: 30 } },
    site.here,
  );
  keepRecoverable(site, instance, keys);
  return { instance, secretArn };
}
