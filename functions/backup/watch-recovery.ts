import { z } from 'zod';
import {
  awsDatabases,
  awsProvisioning,
  awsReplicas,
  awsStores,
  awsTables,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { watchProvisioning } from '../../lib/operations/backup/watch-provisioning.ts';
import { watchRecovery } from '../../lib/operations/backup/watch-recovery.ts';

/** The schedule's event; nothing of it is used. */
const input = z.object({});

const aws = [awsStores, awsDatabases, awsTables, awsReplicas, awsProvisioning] as const;

/** Says how old the newest moment of each store is where it would be restored, and what was measured last of restoring and provisioning. */
export function createWatchRecovery(ports: Wired<typeof aws>) {
  return async (_: z.output<typeof input>) => {
    const minutes = await watchRecovery(ports);
    await watchProvisioning(ports);
    return { minutes };
  };
}

export const handler = defineHandler({ name: 'watchRecovery', input, aws, create: createWatchRecovery });
