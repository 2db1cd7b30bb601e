import { z } from 'zod';
import { awsReplicaFloor, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import { scalingSettings } from '../../lib/scaling/configuration.ts';
import { highestFloor } from '../../lib/scaling/floors.ts';

/** What was decided. */
const input = z.object({
  action: z.enum(['raise', 'lower', 'keep']),
  minReplicas: z.int().min(1),
  expiresAt: z.string().min(1),
  because: z.string(),
});

const aws = [awsReplicaFloor] as const;

/** Characters of a reason that are kept with what is set. */
const longestReason = 400;

/** Sets the least replicas that were decided, with their end and reason; within the bounds, whoever decided. */
export function createApplyCapacity({ replicaFloor, config, clock, log }: Wired<typeof aws>) {
  return async (decided: z.output<typeof input>) => {
    const { scaling } = config;
    if (scaling.mode !== 'apply') return { ...decided, applied: false };
    const { fleet } = scalingSettings(scaling);
    const minReplicas = Math.min(highestFloor(fleet), Math.max(fleet.minReplicas, decided.minReplicas));
    const before = await replicaFloor.current();
    if (!before) return { ...decided, minReplicas, applied: false };
    const raised = minReplicas > before.minReplicas ? isoNow(clock) : before.raisedAt;
    await replicaFloor.set({
      minReplicas,
      expiresAt: decided.expiresAt,
      because: decided.because.slice(0, longestReason),
      ...(raised === undefined ? {} : { raisedAt: raised }),
    });
    log.info('capacity applied', { before: before.minReplicas, minReplicas, because: decided.because });
    return { ...decided, minReplicas, before: before.minReplicas, applied: true };
  };
}

export const handler = defineHandler({ name: 'applyCapacity', input, aws, create: createApplyCapacity });
