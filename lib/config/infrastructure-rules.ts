import { keptJobs } from '../capacity/quotas.ts';
import type { InfrastructureConfig } from './infrastructure.ts';
import { assertFilledIn } from './infrastructure-placeholders.ts';
import { refuse } from './infrastructure-refusal.ts';

/**
 * Kubernetes minors this project runs on, with the last day of EKS standard support
 * (https://endoflife.date/amazon-eks). Older ones cost six times as much an hour and are then upgraded by AWS.
 */
export const supportedKubernetes: Readonly<Record<string, string>> = { '1.35': '2027-03-27' };

/** RDS keeps automated backups for 1 to 35 days; 0 switches them off and with them point-in-time recovery. */
const retention = { min: 1, max: 35 };

/** Prefix length of the widest network that may reach the public Kubernetes endpoint. */
const widestPrefix = 16;

function checkNodeGroups(config: InfrastructureConfig): void {
  for (const [name, group] of Object.entries(config.nodeGroups)) {
    const key = `nodeGroups.${name}`;
    const { minSize, desiredSize, maxSize } = group;
    if (minSize < 0) throw refuse('SIZE_RANGE', `${key}.minSize`, `is ${minSize}; the least is 0`, 0);
    if (maxSize < 1) throw refuse('SIZE_RANGE', `${key}.maxSize`, `is ${maxSize}; the least is 1`, 1);
    if (minSize > maxSize) {
      throw refuse('SIZE_RANGE', `${key}.minSize`, `is ${minSize}, above maxSize ${maxSize}`, maxSize);
    }
    if (desiredSize < minSize || desiredSize > maxSize) {
      const bound = `${minSize} to ${maxSize}`;
      throw refuse('SIZE_RANGE', `${key}.desiredSize`, `is ${desiredSize}, outside ${bound}`, bound);
    }
  }
}

/** The night chooses how many tenants run at a time; what it may choose is bounded by what the cluster keeps of their jobs. */
function checkWave(config: InfrastructureConfig): void {
  const most = Math.floor(keptJobs.limit / keptJobs.perRun);
  if (config.maxConcurrency > most) {
    const message = `is ${config.maxConcurrency}; the cluster keeps ${keptJobs.limit} Jobs, ${keptJobs.perRun} of each run, so ${most} is the most`;
    throw refuse('SIZE_RANGE', 'training.maxConcurrency', message, most);
  }
  for (const key of ['spotMaxVcpus', 'onDemandMaxVcpus'] as const) {
    const value = config.batch[key];
    // The largest stage asks for 4 vCPU; a queue that cannot hold it would wait for ever.
    if (value < 4) throw refuse('SIZE_RANGE', `batch.${key}`, `is ${value}; the least is 4`, 4);
  }
}

/** The queue sizes that a night counts on must not exceed what is built. */
function checkQueueSizes(config: InfrastructureConfig): void {
  const { training_spot, training_on_demand } = config.nodeGroups;
  // A training job asks for 4 vCPU.
  const room = ({ maxSize }: { readonly maxSize: number }) => maxSize * config.trainingJobsPerNode * 4;
  const built = [
    ['batchSpotVcpus', 'batch.spotMaxVcpus', config.batch.spotMaxVcpus],
    ['batchOnDemandVcpus', 'batch.onDemandMaxVcpus', config.batch.onDemandMaxVcpus],
    ['eksSpotVcpus', 'nodeGroups.training_spot.maxSize', room(training_spot)],
    ['eksOnDemandVcpus', 'nodeGroups.training_on_demand.maxSize', room(training_on_demand)],
  ] as const;
  for (const [key, builder, has] of built) {
    const promised = config.queueSize[key];
    const message = `gives ${has} vCPU to training; queueSize.${key} promises ${promised}`;
    if (promised > has) throw refuse('SIZE_RANGE', builder, message, promised);
  }
}

function checkRetention(config: InfrastructureConfig): void {
  const { backupRetentionDays: days } = config.database;
  if (days < retention.min || days > retention.max) {
    const bound = `${retention.min} to ${retention.max}`;
    throw refuse(
      'RETENTION_RANGE',
      'database.backupRetentionDays',
      `is ${days}, outside ${bound} days`,
      bound,
    );
  }
  const { intelligentTieringDays: tier, glacierDays: glacier, logExpiryDays: logs } = config.storage;
  if (tier < 1)
    throw refuse('RETENTION_RANGE', 'storage.intelligentTieringDays', `is ${tier}; the least is 1`, 1);
  if (glacier <= tier) {
    throw refuse(
      'RETENTION_RANGE',
      'storage.glacierDays',
      `is ${glacier}; it must exceed intelligentTieringDays ${tier}`,
      tier,
    );
  }
  if (logs < 1) throw refuse('RETENTION_RANGE', 'storage.logExpiryDays', `is ${logs}; the least is 1`, 1);
}

function checkExposure(config: InfrastructureConfig): void {
  for (const cidr of config.cluster.publicAccessCidrs) {
    const prefix = Number(cidr.split('/')[1]);
    if (cidr.startsWith('0.') || prefix < widestPrefix) {
      const message = `holds ${cidr}, open to the world; the widest network allowed is /${widestPrefix}`;
      throw refuse('ENDPOINT_OPEN', 'cluster.publicAccessCidrs', message, `/${widestPrefix}`);
    }
    const octets = (cidr.split('/')[0] ?? '').split('.').map(Number);
    if (prefix > 32 || octets.some((octet) => octet > 255)) {
      throw refuse(
        'CONFIG_INVALID',
        'cluster.publicAccessCidrs',
        `holds ${cidr}, which is no network`,
        '/32',
      );
    }
  }
}

/** Settings that are each well-formed but contradict one another or a published limit; throws the first found. */
export function assertConsistent(config: InfrastructureConfig): void {
  if (config.disasterRecoveryRegion === config.region) {
    const message = `is ${config.region}, the service's own region; it must be another one`;
    throw refuse('DR_REGION_SAME', 'disasterRecoveryRegion', message, config.region);
  }
  if (!(config.cluster.version in supportedKubernetes)) {
    const known = Object.keys(supportedKubernetes).join(', ');
    throw refuse(
      'VERSION_UNSUPPORTED',
      'cluster.version',
      `is ${config.cluster.version}; supported: ${known}`,
      known,
    );
  }
  if (new Set(config.network.zones).size !== 3) {
    throw refuse('CONFIG_INVALID', 'network.zones', 'must name three different zones', 3);
  }
  checkNodeGroups(config);
  checkWave(config);
  checkQueueSizes(config);
  checkRetention(config);
  checkExposure(config);
  assertFilledIn(config);
}
