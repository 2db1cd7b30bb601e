import { z } from 'zod';
import type { RestoreRecord } from '../../lib/backup/cloud/records.ts';
import { restoreFaults } from '../../lib/backup/cloud/restore-plan.ts';
import { RecoveryFailed } from '../../lib/errors/recovery-errors.ts';
import { awsDatabases, awsReplicas, awsStores, awsTables, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { keepDrill } from '../../lib/operations/backup/keep-drill.ts';
import { restoreOf } from '../../lib/operations/backup/open-restore.ts';
import { removeDrill } from '../../lib/operations/backup/remove-drills.ts';
import { required } from '../../lib/operations/backup/required.ts';
import { isoNow } from '../../lib/ports/clock.ts';

/** What the states that waited for the stores answered (the version before said no time); and of a drill that failed, why. */
const input = z.object({
  id: z.string().min(1),
  stores: z.array(z.object({ resource: z.string(), at: z.iso.datetime().optional() })).default([]),
  error: z.string().optional(),
  cause: z.string().optional(),
});

const aws = [awsStores, awsDatabases, awsTables, awsReplicas] as const;

/** Whether what was restored was read back, and nothing was wrong with it. */
const isVerified = ({ verifiedAt, checks }: RestoreRecord) =>
  verifiedAt !== undefined && restoreFaults(checks ?? []).length === 0;

/** Removes what a drill restored and records how it ended; a drill that failed fails here, after that. */
export function createCloseDrill(ports: Wired<typeof aws>) {
  return async ({ id, stores, error, cause }: z.output<typeof input>) => {
    const { recoveryRecords, clock, metrics } = ports;
    const record = await restoreOf(ports, id);
    await removeDrill(ports, record);
    // Removed already: this is a repeated call for a drill whose answer was lost.
    const isProven = record.state === 'verified' || (record.state === 'removed' && isVerified(record));
    const passed = error === undefined && isProven;
    const because = error === undefined ? `the restore is ${record.state}` : `${error}: ${cause ?? ''}`;
    const finishedAt = isoNow(clock);
    const file = await keepDrill(ports, record, {
      stores,
      removedAt: finishedAt,
      ...(passed ? {} : { error: because.slice(0, 1_000) }),
    });
    const drill = {
      kind: 'drill',
      id: record.beganAt,
      passed,
      point: record.point,
      finishedAt,
      faults: passed ? [] : [because.slice(0, 1_000)],
    } as const;
    await recoveryRecords.put(drill);
    // Home learns of it by its replica: no snapshot goes before a drill has proven something newer.
    const { there, name } = required(ports.tables);
    await there.stores(name).recoveryRecords.put(drill);
    metrics.count('RestoreDrills', 1, { outcome: passed ? 'succeeded' : 'failed' });
    if (!passed) throw new RecoveryFailed(`The drill of ${record.point} failed: ${because.slice(0, 1_000)}`);
    const minutes = Math.round((Date.parse(finishedAt) - Date.parse(record.beganAt)) / 60_000);
    return { outcome: 'passed', id, point: record.point, minutes, file };
  };
}

export const handler = defineHandler({ name: 'closeDrill', input, aws, create: createCloseDrill });
