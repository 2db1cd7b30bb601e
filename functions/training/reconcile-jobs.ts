import { z } from 'zod';
import { detailTypes, envelopeOf, eventDetail } from '../../lib/event-schemas/detail.ts';
import {
  awsBatch,
  awsCallbacks,
  awsEvents,
  awsKubernetes,
  awsNotifier,
  awsStores,
  awsWorkflows,
  type Wired,
} from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { reconcileShard } from '../../lib/operations/reconcile/reconcile-shard.ts';
import { retireSuperseded } from '../../lib/operations/reconcile/retire-superseded.ts';
import { isoNow } from '../../lib/ports/clock.ts';

/** One shard of our own event "Reconcile Shard", or the schedule's empty input: every shard. */
const input = z.union([
  envelopeOf(z.object({ data: z.object({ shard: z.int().min(0) }) })).transform(({ detail }) => ({
    shard: detail.data.shard,
  })),
  z.strictObject({ shard: z.int().min(0).optional() }),
]);

const nothing = {
  checked: 0,
  settled: 0,
  lost: 0,
  alive: 0,
  cancelled: 0,
  left: 0,
  runsEnded: 0,
  modelsAnnounced: 0,
};

const aws = [awsStores, awsBatch, awsKubernetes, awsCallbacks, awsWorkflows, awsEvents, awsNotifier] as const;

/** Compares what is expected with what exists and settles the rest: for events that were lost, late or never sent. */
export function createReconcileJobs(ports: Wired<typeof aws>) {
  const { config, clock, ids, events, metrics } = ports;
  const { shards } = config.reconcile;

  /** Each shard gets an invocation of its own. */
  async function fanOut(runId: string) {
    const logicalDate = isoNow(clock).slice(0, 10);
    const about = { tenantId: '*', runId: 'reconcile', logicalDate, traceId: ids.traceId() };
    await events.publish(
      Array.from({ length: shards }, (_, shard) => ({
        source: 'epsilon.training' as const,
        detailType: detailTypes.reconcileShard,
        detail: eventDetail(about, { shard, requestedBy: runId }),
      })),
    );
    return { ...nothing, shards };
  }

  return async (event: z.output<typeof input>, { log, requestId, remainingMs }: Invocation) => {
    if (event.shard === undefined) await retireSuperseded(ports);
    if (event.shard === undefined && shards > 1) return fanOut(requestId);
    const shard = event.shard ?? 0;
    // The number of shards became smaller while the event was under way.
    if (shard >= shards) return nothing;
    const found = await reconcileShard(ports, { shard, holder: requestId, remainingMs: remainingMs() });
    if (!found) return nothing;
    metrics.count('ReconcilerPasses', 1);
    if (found.settled + found.lost + found.cancelled + found.runsEnded > 0)
      log.info('reconciled', { shard, ...found });
    return found;
  };
}

export const handler = defineHandler({
  name: 'reconcileJobs',
  input,
  aws,
  create: createReconcileJobs,
});
