import { z } from 'zod';
import { EpsilonError } from '../../errors/epsilon-error.ts';

/** Days that RDS keeps automated backups, at most; snapshots follow the same bound. */
const longestDays = 35;

/**
 * Minutes that may be lost whatever is set, worst store first: replicated automated backups of RDS trail by up to 30 minutes, objects
 * by 15 (Replication Time Control); the check that would notice comes every 5.
 */
const reachable = { database: 30, objects: 15, check: 5 } as const;

/** How long the control plane's own records and what they name stay. */
const retentionSchema = z.strictObject({
  /** Days after its end that a run stays on record, with its attempts. */
  runDays: z.int().max(3_650).default(30),
  /** Models of a tenant that stay besides the live one and the one before it. */
  modelsKept: z.int().min(0).max(1_000).default(3),
  /** Days that objects stay after the last record that named them. */
  objectDays: z.int().max(3_650).default(36),
  /** Days by which their replicas go later. */
  replicaDays: z.int().min(1).max(365).default(7),
});

const onSchema = z.strictObject({
  mode: z.literal('on'),
  /** Region of the replicas, in which everything is restored. */
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region as us-east-1'),
  /** Hour (UTC) from which the day's snapshot is due. */
  snapshotHour: z.int().min(0).max(23).default(1),
  /** Hours after which a snapshot or its copy that is still not there fails. */
  snapshotHours: z.int().min(1).max(24).default(6),
  /** Days that snapshots are kept. */
  keepDays: z.int().default(7),
  /** Snapshots that are kept however old they are. */
  keepAtLeast: z.int().min(1).max(100).default(3),
  /** Minutes of acknowledged work that may be lost. */
  rpoMinutes: z.int().min(1).max(1_440).default(60),
  retention: retentionSchema.prefault({}),
});

/** The section `recovery` of the settings. */
export const recoverySchema = z.union([z.strictObject({ mode: z.literal('off') }), onSchema]);

/** Bucket of the other region that objects are copied into (infra/pulumi/storage.ts). */
export const replicaBucketOf = (dataBucket: string): string => `${dataBucket}-replica`;

/** How an environment on AWS is backed up, where it is. */
export type RecoverySettings = Readonly<z.infer<typeof onSchema>>;

/** Days in which a failed execution can be redriven, and one more. */
const redriveDays = 15;

function checkRetention({ runDays, objectDays }: z.output<typeof retentionSchema>): void {
  const bounds = [
    ['runDays', runDays, redriveDays, 'a run can be redriven for 14 days'],
    [
      'objectDays',
      objectDays,
      longestDays + 1,
      `a store can be restored to any second of ${longestDays} days, and what a record named then has to be there`,
    ],
  ] as const;
  for (const [name, given, least, because] of bounds)
    if (given < least)
      throw new EpsilonError(
        'RETENTION_RANGE',
        `Setting "recovery.retention.${name}" is ${given}; ${because}, so that ${least} is the least.`,
        { details: { key: `recovery.retention.${name}`, bound: least } },
      );
}

/** Settings that contradict one another: `DR_REGION_SAME`, `RETENTION_RANGE`, `RPO_UNREACHABLE`, each with its bound. */
export function checkRecovery(region: string, recovery: z.output<typeof recoverySchema>): void {
  if (recovery.mode === 'off') return;
  const { keepDays, rpoMinutes } = recovery;
  if (recovery.region === region)
    throw new EpsilonError(
      'DR_REGION_SAME',
      `Setting "recovery.region" is ${region}, the region of the service itself; its loss would take the backups along. It must be another one.`,
      { details: { key: 'recovery.region', region } },
    );
  if (keepDays < 1 || keepDays > longestDays)
    throw new EpsilonError(
      'RETENTION_RANGE',
      `Setting "recovery.keepDays" is ${keepDays}; it must be from 1 to ${longestDays}. 0 would keep no snapshot: mode: "off" makes none.`,
      { details: { key: 'recovery.keepDays', bound: `1 to ${longestDays}` } },
    );
  checkRetention(recovery.retention);
  const least = Math.max(reachable.database, reachable.objects) + reachable.check;
  if (rpoMinutes < least)
    throw new EpsilonError(
      'RPO_UNREACHABLE',
      `Setting "recovery.rpoMinutes" is ${rpoMinutes}; the replica of the database trails by up to ${reachable.database} minutes and is looked at every ${reachable.check}, so that ${least} is the least.`,
      { details: { key: 'recovery.rpoMinutes', bound: least } },
    );
}
