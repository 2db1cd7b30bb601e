import { z } from 'zod';
import { importPlan } from '../../lib/backup/cloud/import-plan.ts';
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
import { promoteRestore } from '../../lib/operations/backup/promote-restore.ts';

const input = z.object({ id: z.string().min(1), approve: z.string().min(1) });

const aws = [awsStores, awsDatabases, awsTables, awsReplicas, awsHeartbeats] as const;

/** Milliseconds in which consumers have to work on it: as long as a whole recovery may take. */
const consumersMs = 4 * 3_600_000;

/** Makes an approved restore the state that goes on. */
export function createPromoteRestore(ports: Wired<typeof aws>) {
  return async ({ id, approve }: z.output<typeof input>) => {
    const { record, recovered } = await promoteRestore(ports, await restoreOf(ports, id), approve);
    const { epoch, point, target } = record;
    const deadline = new Date(ports.clock.now() + consumersMs).toISOString();
    const next = importPlan(ports.config.environment, target);
    return { outcome: 'promoted', id, epoch, point, target, recovered, deadline, next };
  };
}

export const handler = defineHandler({ name: 'promoteRestore', input, aws, create: createPromoteRestore });
