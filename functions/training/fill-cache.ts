import { z } from 'zod';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { detailTypes, envelopeOf } from '../../lib/event-schemas/detail.ts';
import { awsCacheStore, awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { fillCache } from '../../lib/operations/models/fill-cache.ts';
import { tenantIdPattern } from '../../lib/tenants/tenant.ts';

/** The event says whose model was switched; which one is live is read from its record. */
const input = envelopeOf(z.object({ tenantId: z.string().regex(tenantIdPattern) })).extend({
  source: z.literal('epsilon.training'),
  'detail-type': z.literal(detailTypes.modelPromoted),
});

const aws = [awsStores, awsObjects, awsCacheStore] as const;

/** Fills the cache that all tenants share with the passages of a tenant's live model, on behalf of its cache stage. */
export function createFillCache(ports: Wired<typeof aws>) {
  return async ({ detail: { tenantId } }: z.output<typeof input>, { log }: Invocation) => {
    try {
      const filled = await fillCache(ports, tenantId);
      if (filled.outcome === 'filled') ports.metrics.count('CachesFilled', 1);
      log.info('cache filled', { tenantId, ...filled });
      return filled;
    } catch (error) {
      if (!(error instanceof EpsilonError) || error.code !== 'CACHE_FILE_REFUSED') throw error;
      // The file will not be another one when it is read again.
      ports.metrics.count('CacheFilesRefused', 1);
      log.error('cache file refused', { tenantId, reason: error.message });
      return { outcome: 'refused' as const };
    }
  };
}

export const handler = defineHandler({ name: 'fillCache', input, aws, create: createFillCache });
