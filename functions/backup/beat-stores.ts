import { z } from 'zod';
import {
  awsHeartbeats,
  awsObjects,
  awsReplicas,
  awsStores,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { beatStores } from '../../lib/operations/backup/beat-stores.ts';

/** The schedule's event; nothing of it is used. */
const input = z.object({});

const aws = [awsStores, awsObjects, awsReplicas, awsHeartbeats] as const;

/** Writes this minute's heartbeat into every store, and what was acknowledged into the ledger in the other region. */
export function createBeatStores(ports: Wired<typeof aws>) {
  return async (_: z.output<typeof input>) => (await beatStores(ports)) ?? { outcome: 'off' };
}

export const handler = defineHandler({ name: 'beatStores', input, aws, create: createBeatStores });
