import { z } from 'zod';
import { checkSchema } from '../../errors/check-schema.ts';
import type { MapRunChanges } from '../../ports/operator-api.ts';
import type { NewTenant, TenantChanges } from '../../tenants/tenant-changes.ts';

/** Characters of a name that may come from outside. */
const longestName = 512;

const text = z.string().min(1).max(longestName);
const tenant = z.strictObject({ tenantId: text });
/** Fields are judged by the use case, which names the one at fault. */
const fields = z.record(z.string(), z.unknown());

/**
 * What callers of the operator's acts may give, from wherever they call: unknown keys and further arguments are refused, so
 * that nobody can say who they are.
 */
export const actArguments = {
  nothing: z.tuple([]),
  pruning: z.tuple([z.strictObject({ dryRun: z.boolean() })]),
  tenant: z.tuple([tenant]),
  promotion: z.tuple([tenant.extend({ modelVersion: text })]),
  newTenant: z.tuple([
    z.custom<NewTenant>((value) => checkSchema(fields, value).success, 'must be an object'),
  ]),
  tenantChanges: z.tuple([
    tenant.extend({
      changes: z.custom<TenantChanges>((value) => checkSchema(fields, value).success, 'must be an object'),
    }),
  ]),
  start: z.tuple([
    z
      .strictObject({ machine: text, name: text.optional(), input: z.unknown() })
      .transform(({ name, ...request }) => ({ ...request, ...(name === undefined ? {} : { name }) })),
  ]),
  execution: z.tuple([z.string().min(1).max(2_048)]),
  stop: z.tuple([
    z.string().min(1).max(2_048),
    z.strictObject({ error: z.string().max(256), cause: z.string().max(32_768) }),
  ]),
  mapRunChanges: z.tuple([
    z.string().min(1).max(2_048),
    z
      .strictObject({
        maxConcurrency: z.int().min(0).optional(),
        toleratedFailureCount: z.int().min(0).optional(),
        toleratedFailurePercentage: z.number().min(0).max(100).optional(),
      })
      .transform(
        (changes): MapRunChanges =>
          Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
      ),
  ]),
  schedule: z.tuple([text]),
  gate: z.tuple([tenant.extend({ reason: z.string().max(1_000), hours: z.number() })]),
  capacity: z.tuple([
    z.strictObject({ minReplicas: z.number(), reason: z.string().max(400), hours: z.number() }),
  ]),
  level: z.tuple([tenant.extend({ reason: z.string().max(1_000), from: text.optional() })]),
  hours: z.tuple([tenant.extend({ from: text, to: text, reason: z.string().max(1_000) })]),
  firing: z.tuple([text, text]),
  rollback: z.tuple([z.strictObject({ releaseId: text, reason: z.string().min(1).max(1_000) })]),
  answer: z.tuple([
    z.strictObject({
      releaseId: text,
      act: z.int().min(1),
      outcome: z.enum(['done', 'failed']),
      said: z.string().max(10_000),
    }),
  ]),
  image: z.tuple([z.strictObject({ image: text })]),
} as const;
