import { z } from 'zod';
import { awsDatabases, awsReplicas, awsStores, awsTables, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { watchRecovery } from '../../lib/operations/backup/watch-recovery.ts';

/** The schedule's event; nothing of it is used. */
const input = z.object({});

const aws = [awsStores, awsDatabases, awsTables, awsReplicas] as const;

/** Says how old the newest moment of each store is where it would be restored. */
export function createWatchRecovery(ports: Wired<typeof aws>) {
  return async (_: z.output<typeof input>) => ({ minutes: await watchRecovery(ports) });
}

export const handler = defineHandler({ name: 'watchRecovery', input, aws, create: createWatchRecovery });
