import { detailTypes, eventDetail } from '../../event-schemas/detail.ts';
import type { Ports } from '../../ports/ports.ts';
import type { LiveModel } from '../../training/models/model.ts';

/** The run that a promoted model came from. */
export interface PromotedFrom {
  readonly runId: string;
  readonly logicalDate: string;
  readonly traceId: string;
}

/** Publishes `Model Promoted`; consumers take repeats. */
export async function publishPromotion(
  { events }: Pick<Ports, 'events'>,
  live: LiveModel,
  from: PromotedFrom,
): Promise<void> {
  const { tenantId, modelVersion, previousVersion = null, reason } = live;
  await events.publish([
    {
      source: 'epsilon.training',
      detailType: detailTypes.modelPromoted,
      detail: eventDetail({ tenantId, ...from }, { modelVersion, previousVersion, reason }),
    },
  ]);
}

/**
 * Publishes `Model Promoted` for a model that has just been switched to. A bus that does not take the event undoes nothing and
 * fails nobody: the reconciler publishes it as long as the fixed names are not aligned. Returns whether the bus took it.
 */
export async function announcePromotion(
  ports: Pick<Ports, 'events' | 'log'>,
  live: LiveModel,
  from: PromotedFrom,
): Promise<boolean> {
  try {
    await publishPromotion(ports, live, from);
    return true;
  } catch (error) {
    const { tenantId, modelVersion } = live;
    ports.log.warn('promotion not announced', { tenantId, modelVersion, error: String(error) });
    return false;
  }
}
