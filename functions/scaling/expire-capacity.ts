import { z } from 'zod';
import { awsReplicaFloor, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { isoNow } from '../../lib/ports/clock.ts';

/** The schedule's event; nothing of it is used. */
const input = z.object({});

const aws = [awsReplicaFloor] as const;

/** Withdraws a raise that nobody has renewed: what decides may be gone. Sets the minimum of the fleet, never less. */
export function createExpireCapacity({ replicaFloor, config, clock, log, metrics }: Wired<typeof aws>) {
  return async (_: z.output<typeof input>) => {
    const { scaling } = config;
    if (scaling.mode === 'off') return { outcome: 'off' };
    const found = await replicaFloor.current();
    if (found?.expiresAt === undefined || Date.parse(found.expiresAt) > clock.now())
      return { outcome: 'kept' };
    if (found.minReplicas <= scaling.minReplicas) return { outcome: 'kept' };
    await replicaFloor.set({
      minReplicas: scaling.minReplicas,
      because: `the raise to ${found.minReplicas} ended at ${found.expiresAt} and was not renewed`,
    });
    metrics.count('CapacityExpired', 1);
    log.warn('capacity expired', { before: found.minReplicas, now: isoNow(clock) });
    return { outcome: 'withdrawn', before: found.minReplicas };
  };
}

export const handler = defineHandler({ name: 'expireCapacity', input, aws, create: createExpireCapacity });
