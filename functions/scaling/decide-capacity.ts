import { z } from 'zod';
import { priceAgeNote } from '../../lib/cost/prices.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { Throttled } from '../../lib/errors/run-errors.ts';
import { awsLoadMetrics, awsObjects, awsReplicaFloor, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { readOverride } from '../../lib/operations/scaling/capacity-records.ts';
import { quietReplicas, scalingSettings } from '../../lib/scaling/configuration.ts';
import { decideScaling } from '../../lib/scaling/decide.ts';
import { nodesBeyond } from '../../lib/scaling/groups.ts';
import { hourMs, longestHistory, type Reading } from '../../lib/scaling/hourly-series.ts';
import type { Usage } from '../../lib/scaling/usage.ts';

const input = z.object({
  execution: z.string().min(1),
  /** Nothing is set, whatever the settings say. */
  dryRun: z.boolean().default(false),
});

const aws = [awsLoadMetrics, awsReplicaFloor, awsObjects] as const;

type Ports = Wired<typeof aws>;

/** What was measured, or why nothing could be; what may be over in a moment is thrown. */
interface Measured {
  readonly readings: readonly Reading[];
  readonly usage: readonly Usage[];
  readonly failed?: string;
}

const nothing: Measured = { readings: [], usage: [] };

async function measure({ loadMetrics }: Ports, now: number): Promise<Measured> {
  const from = now - longestHistory * hourMs;
  try {
    return { readings: await loadMetrics.readings(from, now), usage: await loadMetrics.usage(from, now) };
  } catch (error) {
    if (error instanceof EpsilonError && !(error instanceof Throttled))
      return { ...nothing, failed: error.message };
    throw error;
  }
}

/** What is there now: the minimum and when it was last raised. */
async function standing({ replicaFloor }: Ports, usual: number) {
  const { minReplicas, raisedAt } = (await replicaFloor.current()) ?? { minReplicas: usual };
  const at = raisedAt === undefined ? Number.NaN : Date.parse(raisedAt);
  return { minReplicas, ...(Number.isNaN(at) ? {} : { raisedAt: at }) };
}

/** Measures load, forecasts it, and says how many replicas should be there at least, and why. Sets nothing itself. */
export function createDecideCapacity(ports: Ports) {
  const { objects, config, clock, log, metrics } = ports;
  return async ({ execution, dryRun }: z.output<typeof input>) => {
    const { scaling } = config;
    if (scaling.mode === 'off')
      return { outcome: 'off', apply: false, because: 'the settings say "scaling: { mode: off }"' };
    const now = clock.now();
    const settings = scalingSettings(scaling);
    const override = await readOverride({ objects, config });
    const overridden = override !== undefined && Date.parse(override.expiresAt) > now;
    const quiet = overridden ? undefined : quietReplicas(scaling, now);
    // Neither an operator nor quiet hours wait for metrics.
    const { failed, ...measured } = overridden || quiet !== undefined ? nothing : await measure(ports, now);
    const situation = {
      now,
      ...measured,
      ...(await standing(ports, scaling.minReplicas)),
      ...(override ? { override } : {}),
      ...(quiet === undefined ? {} : { quiet: { minReplicas: quiet } }),
    };
    const { alert, action, because: why, ...decision } = decideScaling(situation, settings);
    const because = failed === undefined ? why : `${failed}: nothing is decided, and raises expire`;
    metrics.count('CapacityDecided', 1, { action });
    if (alert) metrics.count('CapacityHeld', 1);
    const old = priceAgeNote(now);
    const prices = old === undefined ? {} : { oldPrices: old };
    log[alert ? 'warn' : 'info']('capacity decided', { execution, action, because, ...decision, ...prices });
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
