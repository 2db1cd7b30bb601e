import { lostInRecovery } from '../../backup/recovery.ts';
import type { Epoch } from '../../ports/backup/recovery-records.ts';
import type { Ports } from '../../ports/ports.ts';

type Needed = Pick<Ports, 'recoveryRecords' | 'workflows' | 'log'>;

/** Machines whose executions have jobs. Nights first, so that they begin no other run. */
const training = ['nightly-training', 'tenant-model-training', 'data-quality-check'] as const;

/** Whether a restored state goes on instead of records. */
export const isSuperseded = ({ epoch, supersededBy }: Epoch): boolean =>
  supersededBy !== undefined && supersededBy > epoch;

/**
 * Stops every execution where a restored state goes on instead of these records: a region that comes back must not go on with what it
 * had begun. Their runs end and their jobs are cancelled as after any stop. Gives how many were stopped. One that ends by itself meanwhile
 * is no fault.
 */
export async function retireSuperseded({ recoveryRecords, workflows, log }: Needed): Promise<number> {
  const found = await recoveryRecords.epoch();
  if (!isSuperseded(found)) return 0;
  let stopped = 0;
  const cause = `A state of epoch ${found.supersededBy} was restored from these records and goes on instead.`;
  for (const machine of training)
    for (const { executionArn } of await workflows.list({ machine, status: 'RUNNING' })) {
      try {
        await workflows.stop(executionArn, { error: lostInRecovery, cause });
        stopped += 1;
      } catch (error) {
        log.error('execution not stopped', { executionArn, error: String(error) });
      }
    }
  if (stopped > 0) log.warn('superseded executions stopped', { stopped, ...found });
  return stopped;
}
