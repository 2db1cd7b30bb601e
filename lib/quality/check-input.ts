import { z } from 'zod';

/** Input of data-quality-check: the schedule's own event, or an operator's. */
export const checkInputSchema = z.object({
  /** ISO 8601 instant; what the schedule puts in. */
  scheduledTime: z.string().optional(),
  trigger: z.enum(['schedule', 'manual']).optional(),
  /** Tenants to look at; all of them where it is absent. */
  tenants: z.array(z.string().min(1)).min(1).max(100).optional(),
  /** What becomes of gates when so many would close that it is taken for an incident of the platform; `hold` where it is absent. */
  incident: z.enum(['hold', 'close']).optional(),
});

/** What a shard's functions are told: where the check keeps its files, and which tenants are meant. */
export const shardSchema = z.object({
  /** Prefix of the check in the data bucket, without bucket, with "/" at its end. */
  prefix: z.string().regex(/^quality\/[A-Za-z0-9_-]+\/$/),
  shard: z.int().min(0),
  shards: z.int().min(1),
  /** Tenants to look at instead of the shard's. */
  only: z.array(z.string()).optional(),
  /** `known`: no jobs look at datasets; what earlier checks found of them is judged. */
  datasets: z.literal('known').optional(),
});

/** One shard of a check. */
export type CheckShard = z.output<typeof shardSchema>;
