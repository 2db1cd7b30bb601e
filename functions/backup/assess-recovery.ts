import { z } from 'zod';
import {
  awsDatabases,
  awsObjects,
  awsReplicas,
  awsReplicationControl,
  awsStores,
  awsTables,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { assessRecovery } from '../../lib/operations/backup/assess-recovery.ts';

/** The plan of the day's snapshot, which is not looked at here. */
const input = z.object({});

const aws = [awsStores, awsObjects, awsDatabases, awsTables, awsReplicas, awsReplicationControl] as const;

/** Finds what could be restored now, and records it as a point. */
export function createAssessRecovery(ports: Wired<typeof aws>) {
  return async (_: z.output<typeof input>, { remainingMs }: Pick<Invocation, 'remainingMs'>) => {
    const { id, newest, stores } = await assessRecovery(ports, remainingMs);
    const faults = Object.values(stores).flatMap((reach) => reach.faults);
    return {
      point: id,
      newest: newest ?? null,
      faults: faults.slice(0, 20),
      more: Math.max(0, faults.length - 20),
    };
  };
}

export const handler = defineHandler({ name: 'assessRecovery', input, aws, create: createAssessRecovery });
