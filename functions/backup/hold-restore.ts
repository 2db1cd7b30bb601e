import { z } from 'zod';
import { awsCallbacks, awsDatabases, awsStores, awsTables, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { holdStep } from '../../lib/operations/backup/hold-step.ts';
import { restoreOf } from '../../lib/operations/backup/open-restore.ts';
import { required } from '../../lib/operations/backup/required.ts';
import { restoreStep } from '../../lib/operations/backup/restore-steps.ts';

const input = z.object({
  part: z.enum(['database', 'table']),
  id: z.string().min(1),
  taskToken: z.string().min(1),
});

const aws = [awsStores, awsCallbacks, awsDatabases, awsTables] as const;

/** Looks after a state that waits for a restored store: begins what is not there, answers when it is as it was to be. */
export function createHoldRestore(ports: Wired<typeof aws>) {
  return async ({ part, id, taskToken }: z.output<typeof input>) => {
    const record = await restoreOf(ports, id);
    const { environment } = ports.config;
    const both = { databases: required(ports.databases), tables: required(ports.tables), environment };
    const step = restoreStep(both, part, record);
    return holdStep(ports, step, { resource: step.resource, taskToken, deadline: record.deadline });
  };
}

export const handler = defineHandler({ name: 'holdRestore', input, aws, create: createHoldRestore });
