import { z } from 'zod';
import { awsCallbacks, awsDatabases, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { holdStep } from '../../lib/operations/backup/hold-step.ts';
import { required } from '../../lib/operations/backup/required.ts';
import { snapshotStep } from '../../lib/operations/backup/snapshot-steps.ts';

const input = z.object({
  part: z.enum(['snapshot', 'copy']),
  id: z.string().min(1),
  dueAt: z.string().min(1),
  deadline: z.string().min(1),
  taskToken: z.string().min(1),
});

const aws = [awsStores, awsCallbacks, awsDatabases] as const;

/** Looks after a state that waits for the day's snapshot or its copy: begins what is not there, answers when it is. */
export function createHoldSnapshot(ports: Wired<typeof aws>) {
  return async ({ part, id, dueAt, deadline, taskToken }: z.output<typeof input>) => {
    const tags = { 'epsilon:environment': ports.config.environment, 'epsilon:due': dueAt };
    const step = snapshotStep(required(ports.databases), { part, id, tags });
    return holdStep(ports, step, { resource: step.resource, taskToken, deadline });
  };
}

export const handler = defineHandler({ name: 'holdSnapshot', input, aws, create: createHoldSnapshot });
