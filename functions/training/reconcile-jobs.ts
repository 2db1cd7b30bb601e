import { z } from 'zod';
import {
  awsBatch,
  awsCallbacks,
  awsEvents,
  awsKubernetes,
  awsNotifier,
  awsStores,
  awsWorkflows,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { reconcileAttempts } from '../../lib/operations/reconcile-attempts.ts';
import { reconcileRuns } from '../../lib/operations/reconcile-runs.ts';
import type { Ports } from '../../lib/ports/ports.ts';

const input = z.object({
  /** The part of the open attempts this invocation looks after; all of them, one after the other, when absent. */
  shard: z.int().min(0).optional(),
});

/** Compares what is expected with what exists and settles the rest: for events that were lost, late or never sent. */
export function createReconcileJobs(ports: Ports) {
  const { shards } = ports.config.reconcile;
  return async (event: z.output<typeof input>) => {
    const mine =
      event.shard === undefined ? Array.from({ length: shards }, (_, index) => index) : [event.shard];
    const totals = { checked: 0, settled: 0, lost: 0, alive: 0, cancelled: 0, runsEnded: 0 };
    for (const shard of mine) {
      const found = await reconcileAttempts(ports, { shard, shards });
      for (const key of ['checked', 'settled', 'lost', 'alive', 'cancelled'] as const)
        totals[key] += found[key];
    }
    if (event.shard === undefined || event.shard === 0) totals.runsEnded = await reconcileRuns(ports);
    ports.metrics.count('ReconcilerPasses', 1);
    if (totals.settled + totals.lost + totals.cancelled + totals.runsEnded > 0)
      ports.log.info('reconciled', totals);
    return totals;
  };
}

export const handler = defineHandler({
  name: 'reconcileJobs',
  input,
  aws: [awsStores, awsBatch, awsKubernetes, awsCallbacks, awsWorkflows, awsEvents, awsNotifier],
  create: createReconcileJobs,
});
