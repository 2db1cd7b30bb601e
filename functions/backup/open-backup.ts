import { z } from 'zod';
import { backupInputSchema } from '../../lib/backup/cloud/inputs.ts';
import { snapshotPlan } from '../../lib/backup/cloud/plan.ts';
import { awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { claimDelivery } from '../../lib/operations/schedules/claim-delivery.ts';
import { executionSchema } from '../../lib/training/nights/night-input.ts';

const input = z.object({ input: backupInputSchema, machine: z.string().min(1), execution: executionSchema });

const aws = [awsStores] as const;

/** Claims the scheduled time for this execution and says which snapshot is due. */
export function createOpenBackup(ports: Wired<typeof aws>) {
  return async ({ input: asked, machine, execution }: z.output<typeof input>) => {
    const { config, clock } = ports;
    const { recovery, environment } = config;
    if (recovery.mode === 'off')
      return { outcome: 'off', because: 'the settings say "recovery: { mode: off }"' };
    if (asked.trigger !== 'manual' && asked.scheduledTime !== undefined) {
      const { scheduledTime } = asked;
      await claimDelivery(ports, { machine, scheduledTime, holder: execution.id });
    }
    return { outcome: 'open', ...snapshotPlan(environment, recovery, clock.now()) };
  };
}

export const handler = defineHandler({ name: 'openBackup', input, aws, create: createOpenBackup });
