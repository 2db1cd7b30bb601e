import { z } from 'zod';
import {
  awsCallbacks,
  awsConsumers,
  awsReplicas,
  awsStores,
  awsTables,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { consumersStep } from '../../lib/operations/backup/await-consumers.ts';
import { holdStep } from '../../lib/operations/backup/hold-step.ts';
import { restoreOf } from '../../lib/operations/backup/open-restore.ts';

const input = z.object({
  id: z.string().min(1),
  /** ISO 8601: consumers that are not there by then fail the execution; the promotion stays. */
  deadline: z.string().min(1),
  taskToken: z.string().min(1),
});

const aws = [awsStores, awsCallbacks, awsTables, awsReplicas, awsConsumers] as const;

/** Looks after the state that waits until every consumer works on the promoted records. */
export function createAwaitConsumers(ports: Wired<typeof aws>) {
  return async ({ id, deadline, taskToken }: z.output<typeof input>) => {
    const record = await restoreOf(ports, id);
    const step = consumersStep(ports, record);
    const held = await holdStep(ports, step, { resource: step.resource, taskToken, deadline });
    if (held.state === 'ready') await ports.recoveryRecords.put({ ...record, state: 'serving' });
    return held;
  };
}

export const handler = defineHandler({ name: 'awaitConsumers', input, aws, create: createAwaitConsumers });
