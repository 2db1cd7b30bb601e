import { z } from 'zod';
import {
  awsNodeGroups,
  awsObjects,
  awsQueueVcpus,
  awsReplicaFloor,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { endGroups } from '../../lib/operations/scaling/set-groups.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import type { ScalingConfig } from '../../lib/scaling/configuration.ts';

/** The schedule's event; nothing of it is used. */
const input = z.object({});

const aws = [awsReplicaFloor, awsNodeGroups, awsQueueVcpus, awsObjects] as const;

/** Queues that a night may have been prewarmed by; they keep nothing ready otherwise. */
const queues = { 'batch-spot': { least: 0 }, 'batch-on-demand': { least: 0 } };

type Ports = Wired<typeof aws>;

/** Gives the replicas their usual minimum back where what was set has ended. */
async function endReplicas(
  { replicaFloor, clock }: Ports,
  { minReplicas }: ScalingConfig,
): Promise<{ readonly before: number } | undefined> {
  const found = await replicaFloor.current();
  if (found?.expiresAt === undefined || Date.parse(found.expiresAt) > clock.now()) return undefined;
  if (found.minReplicas === minReplicas) return undefined;
  await replicaFloor.set({
    minReplicas,
    because: `the minimum of ${found.minReplicas} ended at ${found.expiresAt} and was not renewed`,
  });
  return { before: found.minReplicas };
}

/**
 * Withdraws what nobody has renewed, raises and the lower minima of quiet hours: what decides may be gone. Replicas and nodes get the minima
 * of the settings. One that cannot be reached keeps the others from nothing.
 */
export function createExpireCapacity(ports: Ports) {
  const { nodeGroups, queueVcpus, objects, config, clock, log, metrics } = ports;
  return async (_: z.output<typeof input>) => {
    const { scaling } = config;
    if (scaling.mode === 'off') return { outcome: 'off' };
    const [replicas, nodes, vcpus] = await Promise.allSettled([
      endReplicas(ports, scaling),
      endGroups({ objects, config, clock, groups: nodeGroups }, scaling.nodeGroups),
      endGroups({ objects, config, clock, groups: queueVcpus }, queues),
    ]);
    const ended = [nodes, vcpus].flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const before = replicas.status === 'fulfilled' ? replicas.value?.before : undefined;
    const set = ended.filter(({ outcome }) => outcome === 'set');
    // What a night was prewarmed with is to end; everything else was to be renewed.
    const withdrawn =
      set.filter(({ group }) => !Object.hasOwn(queues, group)).length + (before === undefined ? 0 : 1);
    if (withdrawn > 0) metrics.count('CapacityExpired', withdrawn);
    if (before !== undefined || ended.length > 0)
      log.warn('capacity expired', { before, groups: ended, now: isoNow(clock) });
    for (const each of [replicas, nodes, vcpus]) if (each.status === 'rejected') throw each.reason;
    return {
      outcome: before !== undefined || set.length > 0 ? 'withdrawn' : 'kept',
      ...(before === undefined ? {} : { before }),
      groups: ended,
    };
  };
}

export const handler = defineHandler({ name: 'expireCapacity', input, aws, create: createExpireCapacity });
