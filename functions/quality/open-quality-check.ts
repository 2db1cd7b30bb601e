import { z } from 'zod';
import { awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { claimDelivery } from '../../lib/operations/schedules/claim-delivery.ts';
import { type CheckShard, checkInputSchema } from '../../lib/quality/check-input.ts';
import { executionSchema } from '../../lib/training/nights/night-input.ts';

const input = z.object({ input: checkInputSchema, machine: z.string().min(1), execution: executionSchema });

const aws = [awsStores] as const;

/** Claims the scheduled time for this execution and says which shards it consists of. */
export function createOpenQualityCheck(ports: Wired<typeof aws>) {
  return async ({ input: asked, machine, execution }: z.output<typeof input>) => {
    if (asked.trigger !== 'manual' && asked.scheduledTime !== undefined) {
      const { scheduledTime } = asked;
      await claimDelivery(ports, { machine, scheduledTime, holder: execution.id });
    }
    const { shards } = ports.config.reconcile;
    const prefix = `quality/${execution.name}/`;
    const incident = asked.incident ?? 'hold';
    if (asked.tenants) return { incident, shards: [{ prefix, shard: 0, shards: 1, only: asked.tenants }] };
    return {
      incident,
      shards: Array.from({ length: shards }, (_, shard): CheckShard => ({ prefix, shard, shards })),
    };
  };
}

export const handler = defineHandler({
  name: 'openQualityCheck',
  input,
  aws,
  create: createOpenQualityCheck,
});
