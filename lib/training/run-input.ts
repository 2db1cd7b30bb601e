import { z } from 'zod';
import { traceparentPattern } from '../tracing/ids.ts';

/** Input of tenant-model-training. */
export const runInputSchema = z.object({
  tenantId: z.string(),
  /** Absent on an operator's start: today (UTC). */
  logicalDate: z.string().optional(),
  /** The night that started this run; an operator's start has none. */
  nightArn: z.string().optional(),
  /** 32 hex digits; made when the run begins if absent. */
  traceId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  /** W3C's header of the span that asks for this run; its trace then links to that. */
  traceparent: z.string().regex(traceparentPattern, 'must be a traceparent of version 00').optional(),
  /** What the night planned for this run (lib/capacity). */
  plan: z
    .object({ deadline: z.iso.datetime().optional(), spotUntil: z.iso.datetime().optional() })
    .optional(),
});
