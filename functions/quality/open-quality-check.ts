import { z } from 'zod';
import { AlreadyClaimed } from '../../lib/errors/run-errors.ts';
import { awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { type CheckShard, checkInputSchema } from '../../lib/quality/check-input.ts';
import { executionSchema } from '../../lib/training/nights/night-input.ts';

const input = z.object({ input: checkInputSchema, machine: z.string().min(1), execution: executionSchema });

const aws = [awsStores] as const;

/** Claims the scheduled time for this execution and says which shards it consists of. */
export function createOpenQualityCheck({ claims, clock, config }: Wired<typeof aws>) {
  return async ({ input: asked, machine, execution }: z.output<typeof input>) => {
    if (asked.trigger !== 'manual' && asked.scheduledTime !== undefined) {
      const scheduledTime = new Date(asked.scheduledTime).toISOString();
      const now = new Date(clock.now()).toISOString();
      const { claimed, holder } = await claims.claim({ machine, scheduledTime, holder: execution.id, now });
      if (!claimed) throw new AlreadyClaimed(machine, scheduledTime, holder);
    }
    const { shards } = config.reconcile;
    const prefix = `quality/${execution.name}/`;
    const incident = asked.incident ?? 'hold';
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
