import type { AttemptKey } from '../../ports/run-store.ts';
import { partOf, partsOf, type Shard } from '../../training/shards.ts';

/** Primary key of an item. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

const hex = (part: number) => part.toString(16).padStart(4, '0');

/** Sorts as text like the number. */
const padded = (attempt: number) => String(attempt).padStart(6, '0');

/** Partition that lists all tenants. */
export const tenantsPartition = 'TENANTS';

/** Keys of what belongs to a tenant, and of its entry in the list of all. */
export const tenantKeys = {
  partition: (tenantId: string) => `TENANT#${tenantId}`,
  record: (tenantId: string): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'META' }),
  lease: (tenantId: string): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'LEASE' }),
  live: (tenantId: string): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'LIVE' }),
  verdict: (tenantId: string): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'VERDICT' }),
  baseline: (tenantId: string): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'BASELINE' }),
  dataset: (tenantId: string): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'DATASET' }),
  override: (tenantId: string): ItemKey => ({ pk: `TENANT#${tenantId}`, sk: 'OVERRIDE' }),
  datasetPartitions: 'PARTITION#',
  datasetPartition: (tenantId: string, at: string): ItemKey => ({
    pk: `TENANT#${tenantId}`,
    sk: `PARTITION#${at}`,
  }),
  qualities: 'QUALITY#',
  quality: (tenantId: string, checkedAt: string): ItemKey => ({
    pk: `TENANT#${tenantId}`,
    sk: `QUALITY#${checkedAt}`,
  }),
  models: 'MODEL#',
  model: (tenantId: string, version: string): ItemKey => ({
    pk: `TENANT#${tenantId}`,
    sk: `MODEL#${version}`,
  }),
  runs: 'RUN#',
  listed: (tenantId: string): ItemKey => ({ pk: tenantsPartition, sk: tenantId }),
};

/** Keys of a run, its attempts, and its entries in the lists of its tenant, its date and its night. */
export const runKeys = {
  partition: (runId: string) => `RUN#${runId}`,
  record: (runId: string): ItemKey => ({ pk: `RUN#${runId}`, sk: 'META' }),
  attempts: 'STAGE#',
  attemptsOf: (stage: string) => `STAGE#${stage}#ATTEMPT#`,
  attempt: ({ runId, stage, attempt }: AttemptKey): ItemKey => ({
    pk: `RUN#${runId}`,
    sk: `STAGE#${stage}#ATTEMPT#${padded(attempt)}`,
  }),
  datePartition: (logicalDate: string) => `DATE#${logicalDate}`,
  ofDate: (run: { logicalDate: string; startedAt: string; runId: string }): ItemKey => ({
    pk: `DATE#${run.logicalDate}`,
    sk: `${run.startedAt}#${run.runId}`,
  }),
  nightPartition: (nightArn: string) => `NIGHT#${nightArn}`,
  ofNight: (run: { startedAt: string; runId: string }, nightArn: string): ItemKey => ({
    pk: `NIGHT#${nightArn}`,
    sk: `${run.startedAt}#${run.runId}`,
  }),
  ofTenant: (run: { tenantId: string; startedAt: string; runId: string }): ItemKey => ({
    pk: `TENANT#${run.tenantId}`,
    sk: `RUN#${run.startedAt}#${run.runId}`,
  }),
};

/** Key of the claim of a scheduled time. */
export const claimKey = (machine: string, scheduledTime: string): ItemKey => ({
  pk: `CLAIM#${machine}`,
  sk: scheduledTime,
});

/** Key of a lock. */
export const lockKey = (name: string): ItemKey => ({ pk: `LOCK#${name}`, sk: 'LOCK' });

/** Partition of the records of images. */
export const imagesPartition = 'IMAGES';

/** Key of the record of an image. */
export const imageKey = (image: string): ItemKey => ({ pk: imagesPartition, sk: image });

/** Partition of the releases. */
export const releasesPartition = 'RELEASES';

/** Key of a release. */
export const releaseKey = (releaseId: string): ItemKey => ({ pk: releasesPartition, sk: releaseId });

/** Says which release is under way; sorts beside the releases, whose ids begin otherwise. */
export const releaseTurn: ItemKey = { pk: releasesPartition, sk: '#TURN' };

/** Key of the tokens of an API's call budget. */
export const budgetKey = (api: string): ItemKey => ({ pk: `BUDGET#${api}`, sk: 'TOKENS' });

/** Key of the wrapped data key of a UTC day. */
export const tokenKeyKey = (day: string): ItemKey => ({ pk: `TOKENKEY#${day}`, sk: 'KEY' });

/** Prefix of the audit log's partitions, one a UTC month. */
export const auditPrefix = 'AUDIT#';

/** Key of one record of an act; both records of an act are neighbours. */
export const auditKey = (record: { begunAt: string; auditId: string; phase: string }): ItemKey => ({
  pk: `${auditPrefix}${record.begunAt.slice(0, 7)}`,
  sk: `${record.begunAt}#${record.auditId}#${record.phase}`,
});

/** What can be open: an attempt, a run, a live model whose fixed names are not in line with it. */
export type OpenKind = 'ATTEMPT' | 'RUN' | 'MODEL';

/** Attributes that put an item into the index of open work; without them it is not in it. */
export function openAttributes(kind: OpenKind, id: string, rest = '') {
  const part = hex(partOf(id));
  return { openPart: `${kind}#${part.charAt(0)}`, openOrder: `${part}#${id}${rest}` };
}

/** The index partitions a shard looks into, with the range of `openOrder` in each. */
export function openRanges(kind: OpenKind, shard: Shard): { openPart: string; from: string; to: string }[] {
  const { first, last } = partsOf(shard);
  const [low, high] = [hex(first), hex(last)];
  const ranges: { openPart: string; from: string; to: string }[] = [];
  for (let digit = first >> 12; digit <= last >> 12; digit += 1)
    // "~" sorts behind everything an id may have.
    ranges.push({ openPart: `${kind}#${digit.toString(16)}`, from: low, to: `${high}~` });
  return ranges;
}

/** Keys of outputs that no record names any more; they sort by when that came about. */
export const retirementKeys = {
  partition: 'RETIRED',
  of: (at: string, prefix: string): ItemKey => ({ pk: 'RETIRED', sk: `${at}#${prefix}` }),
};

/** Keys of what is known of backups and restores, and of who waits for what of it. */
export const recoveryKeys = {
  partition: (kind: string) => `RECOVERY#${kind}`,
  record: (kind: string, id: string): ItemKey => ({ pk: `RECOVERY#${kind}`, sk: id }),
  epoch: { pk: 'RECOVERY#epoch', sk: 'EPOCH' } as ItemKey,
  heartbeat: { pk: 'RECOVERY#heartbeat', sk: 'NEWEST' } as ItemKey,
  wait: (resource: string): ItemKey => ({ pk: 'RECOVERY#wait', sk: resource }),
};
