import { z } from 'zod';
import { awsNodeGroups, awsObjects, awsReplicaFloor, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { setGroups } from '../../lib/operations/scaling/set-groups.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import { type ScalingConfig, scalingSettings } from '../../lib/scaling/configuration.ts';
import { highestFloor } from '../../lib/scaling/floors.ts';

/** What was decided. */
const input = z.object({
  action: z.enum(['raise', 'lower', 'keep']),
  minReplicas: z.int().min(1),
  /** Nodes beyond the usual ones. */
  nodes: z.int().min(0).default(0),
  quiet: z.boolean().default(false),
  expiresAt: z.string().min(1),
  because: z.string(),
});

type Decided = z.output<typeof input>;

const aws = [awsReplicaFloor, awsNodeGroups, awsObjects] as const;

/** Characters of a reason that are kept with what is set. */
const longestReason = 400;

/** The number that was decided, within the bounds, whoever decided. */
function bounded(scaling: ScalingConfig, { minReplicas, quiet }: Decided): number {
  const { fleet } = scalingSettings(scaling);
  const least = quiet ? (scaling.quietHours?.minReplicas ?? fleet.minReplicas) : fleet.minReplicas;
  return Math.min(highestFloor(fleet), Math.max(least, minReplicas));
}

/** Sets the least replicas and nodes that were decided, with their end and reason; within the bounds, whoever decided. */
export function createApplyCapacity(ports: Wired<typeof aws>) {
  const { replicaFloor, nodeGroups, objects, config, clock, log } = ports;
  return async (decided: Decided) => {
    const { scaling } = config;
    if (scaling.mode !== 'apply') return { ...decided, applied: false };
    const minReplicas = bounded(scaling, decided);
    const because = decided.because.slice(0, longestReason);
    // Nodes first: they take longest.
    const groups = await setGroups({ objects, config, groups: nodeGroups }, scaling.nodeGroups, {
      beyond: decided.nodes,
      quiet: decided.quiet,
      expiresAt: decided.expiresAt,
      because,
    });
    const before = await replicaFloor.current();
    if (!before) return { ...decided, minReplicas, groups, applied: false };
    const raised = minReplicas > before.minReplicas ? isoNow(clock) : before.raisedAt;
    await replicaFloor.set({
      minReplicas,
      expiresAt: decided.expiresAt,
      because,
      ...(raised === undefined ? {} : { raisedAt: raised }),
    });
    log.info('capacity applied', { before: before.minReplicas, minReplicas, groups, because });
    return { ...decided, minReplicas, before: before.minReplicas, groups, applied: true };
  };
}

export const handler = defineHandler({ name: 'applyCapacity', input, aws, create: createApplyCapacity });
