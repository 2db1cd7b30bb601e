import { z } from 'zod';

/** Input of `backup`: the schedule's own event, or an operator's with `trigger: "manual"`. */
export const backupInputSchema = z.object({
  /** ISO 8601 instant; what the schedule puts in. */
  scheduledTime: z.string().optional(),
  trigger: z.enum(['schedule', 'manual']).optional(),
});
