import { z } from 'zod';
import { envelopeOf } from '../../lib/event-schemas/detail.ts';
import {
  awsBatch,
  awsEvents,
  awsKubernetes,
  awsNotifier,
  awsStores,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { settleRun } from '../../lib/operations/runs/settle-run.ts';

/** Detail of "Step Functions Execution Status Change", as far as it is read here. */
const input = envelopeOf(
  z.object({
    executionArn: z.string().min(1),
    name: z.string().min(1),
    status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']),
    redriveCount: z.int().min(0).nullish(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
  }),
  // Nobody but AWS can put an event with such a source on a bus.
).extend({
  source: z.literal('aws.states'),
  'detail-type': z.literal('Step Functions Execution Status Change'),
});

const aws = [awsStores, awsBatch, awsKubernetes, awsEvents, awsNotifier] as const;

/** Cleans up after a tenant run that did not succeed. */
export function createSettleRun(ports: Wired<typeof aws>) {
  return async ({ detail }: z.output<typeof input>) => {
    const run = await ports.runs.getRun(detail.name);
    if (!run || run.executionArn !== detail.executionArn) return { outcome: 'unknown' };
    const acted = await settleRun(ports, run, {
      status: detail.status,
      redriveCount: detail.redriveCount ?? 0,
      ...(detail.error ? { error: detail.error } : {}),
      ...(detail.cause ? { cause: detail.cause } : {}),
    });
    return { outcome: acted ? 'settled' : 'nothing to do' };
  };
}

export const handler = defineHandler({
  name: 'settleRun',
  input,
  aws,
  create: createSettleRun,
});
