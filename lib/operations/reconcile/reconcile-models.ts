import { inParallel } from '../../concurrency/in-parallel.ts';
import type { Ports } from '../../ports/ports.ts';
import type { LiveModel } from '../../training/models/model.ts';
import type { Shard } from '../../training/shards.ts';
import { publishPromotion } from '../models/promotion-event.ts';

type Needed = Pick<Ports, 'models' | 'events' | 'ids' | 'clock' | 'metrics' | 'log'>;

/** A shard's live models and when the pass has to end, in milliseconds since the Unix epoch. */
export interface ModelsPass {
  readonly part: Shard;
  readonly until: number;
}

/** Minutes after a promotion in which its own event is given time to do the work. */
const graceMinutes = 2;

/** Minutes after a promotion until which it is announced with every pass, and the pause in minutes after that. */
const keenMinutes = 15;
const pauseMinutes = 15;

/** Models that are announced side by side. */
const announcedAtOnce = 4;

/** Whether a promotion of this age is announced in this pass; a model that cannot be aligned must not fill the bus. */
function isDue(minutes: number): boolean {
  if (minutes < graceMinutes) return false;
  return minutes < keenMinutes || Math.floor(minutes) % pauseMinutes === 0;
}

async function announce(ports: Needed, live: LiveModel): Promise<void> {
  const { tenantId, modelVersion } = live;
  const model = await ports.models.get(tenantId, modelVersion);
  const { runId = 'reconcile', logicalDate = live.promotedAt.slice(0, 10) } = model ?? {};
  await publishPromotion(ports, live, { runId, logicalDate, traceId: ports.ids.traceId() });
  ports.log.warn('promotion announced again', { tenantId, modelVersion });
}

/**
 * Publishes `Model Promoted` again for live models whose fixed names are not in line with them: the event was lost or never
 * sent, or who heard it could not finish. Returns how many. One model's fault never stops the others.
 */
export async function reconcileModels(ports: Needed, { part, until }: ModelsPass): Promise<number> {
  const { clock, metrics, log } = ports;
  const behind = await ports.models.listUnaligned(part);
  const due = behind.filter(({ promotedAt }) => isDue((clock.now() - Date.parse(promotedAt)) / 60_000));
  if (due.length > 0) metrics.count('FixedNamesBehind', due.length);
  let announced = 0;
  await inParallel(due, announcedAtOnce, async (live) => {
    if (clock.now() >= until) return;
    try {
      await announce(ports, live);
      announced += 1;
    } catch (error) {
      metrics.count('ReconcilerFaults', 1);
      log.error('model not reconciled', { tenantId: live.tenantId, error: String(error) });
    }
  });
  return announced;
}
