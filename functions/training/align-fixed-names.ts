import { z } from 'zod';
import { detailTypes, envelopeOf } from '../../lib/event-schemas/detail.ts';
import { awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { alignFixedNames } from '../../lib/operations/models/align-fixed-names.ts';
import { tenantIdPattern } from '../../lib/tenants/tenant.ts';

/** The event says whose model was switched; which one is live is read from its record. */
const input = envelopeOf(z.object({ tenantId: z.string().regex(tenantIdPattern) })).extend({
  source: z.literal('epsilon.training'),
  'detail-type': z.literal(detailTypes.modelPromoted),
});

const aws = [awsStores, awsObjects] as const;

/** Brings the fixed names of a tenant in line with its live model, whatever switched it: a run, an operator, a rollback. */
export function createAlignFixedNames(ports: Wired<typeof aws>) {
  return async ({ detail: { tenantId } }: z.output<typeof input>, { log, remainingMs }: Invocation) => {
    // A retry carries the request id of the invocation before it, whose last copy may still be under way.
    const holder = ports.ids.ulid();
    const done = await alignFixedNames(ports, { tenantId, holder, remainingMs: remainingMs() });
    if (done.copied > 0) log.info('fixed names aligned', { tenantId, ...done });
    return done;
  };
}

export const handler = defineHandler({
  name: 'alignFixedNames',
  input,
  aws,
  create: createAlignFixedNames,
});
