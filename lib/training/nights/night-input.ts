import { createHash } from 'node:crypto';
import { z } from 'zod';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import { checkLogicalDate, logicalDateOf } from './logical-date.ts';

/** What an execution passes to its handlers about itself. */
export const executionSchema = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  redriveCount: z.int().min(0),
});

/** Input of nightly-training: the schedule's own event, or an operator's with `trigger: "manual"`. */
export const nightInputSchema = z.object({
  /** ISO 8601 instant; what the schedule puts in. */
  scheduledTime: z.string().optional(),
  /** An operator may name the date instead. */
  logicalDate: z.string().optional(),
  trigger: z.enum(['schedule', 'manual']).optional(),
});

/** Input of a night. */
export type NightInput = z.output<typeof nightInputSchema>;

/** What LoadTenants hands to the rest of the night. */
export const nightSchema = z.object({
  logicalDate: z.string(),
  trigger: z.enum(['schedule', 'manual']),
  traceId: z.string(),
  /** Redrive count with which this round began. */
  round: z.int().min(0),
  tenants: z.int().min(0),
  bucket: z.string(),
  /** Key of this round's tenants. */
  key: z.string(),
  /** Key of the first round's tenants: whom the night is judged by. */
  firstKey: z.string(),
  maxConcurrency: z.int().min(1),
  /** Makes the tenant executions' names unique: empty for a schedule's first round. */
  suffix: z.string(),
});

/** A loaded night. */
export type Night = z.output<typeof nightSchema>;

/** A date that has begun somewhere on earth; models of a day to come would make its own night find nothing due. */
function checkBegun(date: string, now: number): string {
  const latest = new Date(now + 14 * 3_600_000).toISOString().slice(0, 10);
  if (checkLogicalDate(date) <= latest) return date;
  throw new EpsilonError('DATE_OUT_OF_RANGE', `Logical date "${date}" is in the future (latest: ${latest}).`);
}

/** The date a night is for: named by the operator, or the UTC date of the scheduled time, or today. */
export function nightDate(input: NightInput, now: number): string {
  if (input.logicalDate !== undefined) return checkBegun(input.logicalDate, now);
  return logicalDateOf(input.scheduledTime ?? new Date(now).toISOString());
}

/** One trace id from schedule to job: the same on every delivery to this execution, 32 hex digits. */
export function nightTraceId(nightArn: string): string {
  return createHash('sha256').update(nightArn).digest('hex').slice(0, 32);
}

/**
 * Suffix of the tenant executions' names. An operator's night must not collide with the schedule's of the same date, nor the night
 * after a restore (`epoch`) with the one before it: names stay taken for 90 days.
 */
export function nightSuffix({
  trigger,
  name,
  round,
  epoch,
}: {
  readonly trigger: 'schedule' | 'manual';
  readonly name: string;
  readonly round: number;
  readonly epoch: number;
}): string {
  const own = trigger === 'manual' ? `-m${createHash('sha256').update(name).digest('hex').slice(0, 8)}` : '';
  return `${epoch === 0 ? '' : `-e${epoch}`}${own}${round === 0 ? '' : `-r${round}`}`;
}
