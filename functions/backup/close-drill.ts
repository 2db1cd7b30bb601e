import { z } from 'zod';
import { RecoveryFailed } from '../../lib/errors/recovery-errors.ts';
import { awsDatabases, awsStores, awsTables, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { restoreOf } from '../../lib/operations/backup/open-restore.ts';
import { removeDrill } from '../../lib/operations/backup/remove-drills.ts';
import { required } from '../../lib/operations/backup/required.ts';
import { isoNow } from '../../lib/ports/clock.ts';

/** Of a drill that failed: why. */
const input = z.object({ id: z.string().min(1), error: z.string().optional(), cause: z.string().optional() });

const aws = [awsStores, awsDatabases, awsTables] as const;

/** Removes what a drill restored and records how it ended; a drill that failed fails here, after that. */
export function createCloseDrill(ports: Wired<typeof aws>) {
  return async ({ id, error, cause }: z.output<typeof input>) => {
    const { recoveryRecords, clock, metrics } = ports;
    const record = await restoreOf(ports, id);
    await removeDrill(ports, record);
    const passed = error === undefined && record.state === 'verified';
    const because = error === undefined ? `the restore is ${record.state}` : `${error}: ${cause ?? ''}`;
    const finishedAt = isoNow(clock);
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
    return { outcome: 'passed', id, point: record.point, minutes };
  };
}

export const handler = defineHandler({ name: 'closeDrill', input, aws, create: createCloseDrill });
