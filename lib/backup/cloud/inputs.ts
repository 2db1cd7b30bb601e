import { z } from 'zod';

/** Input of `backup`, `restore-drill` and `retention`: the schedule's own event, or an operator's with `trigger: "manual"`. */
export const backupInputSchema = z.object({
  /** ISO 8601 instant; what the schedule puts in. */
  scheduledTime: z.string().optional(),
  trigger: z.enum(['schedule', 'manual']).optional(),
});

/** Input of `restore`: a moment to restore, or a restore that is approved. */
export const restoreInputSchema = z.object({
  /** `newest`, or an instant with a zone. */
  to: z.string().min(1).optional(),
  /** Other names than those that are made. */
  database: z
    .string()
    .regex(/^[a-z](-?[a-z0-9])*$/, 'must be letters, digits and single hyphens')
    .max(63)
    .optional(),
  table: z
    .string()
    .regex(/^[\w.-]{3,255}$/, 'must be 3 to 255 letters, digits, ".", "_" and "-"')
    .optional(),
  /** A restore that was verified, and the digest that approves it. */
  id: z.string().min(1).optional(),
  approve: z.string().min(1).optional(),
  trigger: z.literal('manual').optional(),
});
