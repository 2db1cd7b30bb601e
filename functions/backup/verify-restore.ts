import { z } from 'zod';
import {
  awsDatabases,
  awsHeartbeats,
  awsReplicas,
  awsStores,
  awsTables,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { restoreOf } from '../../lib/operations/backup/open-restore.ts';
import { verifyRestore } from '../../lib/operations/backup/verify-restore.ts';

const input = z.object({ id: z.string().min(1) });

const aws = [awsStores, awsDatabases, awsTables, awsReplicas, awsHeartbeats] as const;

/** Reads what was restored and puts the digest on record that approves exactly this. */
export function createVerifyRestore(ports: Wired<typeof aws>) {
  return async ({ id }: z.output<typeof input>) => {
    const { point, target, checks, digest } = await verifyRestore(ports, await restoreOf(ports, id));
    return {
      outcome: 'verified',
      id,
      point,
      target,
      digest,
      checks: (checks ?? []).map(({ name, count }) => ({ name, count })),
      next: `epsilon restore --id ${id} --approve ${digest}`,
    };
  };
}

export const handler = defineHandler({ name: 'verifyRestore', input, aws, create: createVerifyRestore });
