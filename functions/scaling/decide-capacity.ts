import { z } from 'zod';
import { awsLoadMetrics, awsObjects, awsReplicaFloor, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { readOverride } from '../../lib/operations/scaling/capacity-records.ts';
import { quietReplicas, scalingSettings } from '../../lib/scaling/configuration.ts';
import { decideScaling } from '../../lib/scaling/decide.ts';
import { nodesBeyond } from '../../lib/scaling/groups.ts';
import { hourMs, longestHistory } from '../../lib/scaling/hourly-series.ts';

const input = z.object({
  execution: z.string().min(1),
  /** Nothing is set, whatever the settings say. */
  dryRun: z.boolean().default(false),
});

const aws = [awsLoadMetrics, awsReplicaFloor, awsObjects] as const;

/** Measures load, forecasts it, and says how many replicas should be there at least, and why. Sets nothing itself. */
export function createDecideCapacity({
  loadMetrics,
  replicaFloor,
  objects,
  config,
  clock,
  log,
  metrics,
}: Wired<typeof aws>) {
  return async ({ execution, dryRun }: z.output<typeof input>) => {
    const { scaling } = config;
    if (scaling.mode === 'off')
      return { outcome: 'off', apply: false, because: 'the settings say "scaling: { mode: off }"' };
    const now = clock.now();
    const readings = await loadMetrics.readings(now - longestHistory * hourMs, now);
    const floor = (await replicaFloor.current()) ?? { minReplicas: scaling.minReplicas };
    const raisedAt = floor.raisedAt === undefined ? Number.NaN : Date.parse(floor.raisedAt);
    const settings = scalingSettings(scaling);
    const override = await readOverride({ objects, config });
    const quiet = quietReplicas(scaling, now);
    const { alert, action, because, ...decision } = decideScaling(
      {
        now,
        readings,
        minReplicas: floor.minReplicas,
        ...(override ? { override } : {}),
        ...(quiet === undefined ? {} : { quiet: { minReplicas: quiet } }),
        ...(Number.isNaN(raisedAt) ? {} : { raisedAt }),
      },
      settings,
    );
    metrics.count('CapacityDecided', 1, { action });
    if (alert) metrics.count('CapacityHeld', 1);
    log[alert ? 'warn' : 'info']('capacity decided', { execution, action, because, ...decision });
    const { minReplicas, expiresAt } = decision;
    return {
      outcome: alert ? 'held' : 'decided',
      apply: scaling.mode === 'apply' && !alert && !dryRun,
      action,
      minReplicas,
      // Nodes for replicas that are not there yet: they start while the pods wait.
      nodes: nodesBeyond(minReplicas, settings.fleet),
      quiet: quiet !== undefined,
      expiresAt: new Date(expiresAt).toISOString(),
      because,
    };
  };
}

export const handler = defineHandler({ name: 'decideCapacity', input, aws, create: createDecideCapacity });
