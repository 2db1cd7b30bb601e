import { EpsilonError } from '../../errors/epsilon-error.ts';

/** UTC date (`YYYY-MM-DD`) of a scheduled time; throws `DATE_OUT_OF_RANGE` when the time is no instant. */
export function logicalDateOf(scheduledTime: string): string {
  const at = Date.parse(scheduledTime);
  if (Number.isNaN(at) || !/^\d{4}-\d{2}-\d{2}T/.test(scheduledTime)) {
    throw new EpsilonError(
      'DATE_OUT_OF_RANGE',
      `Scheduled time ${JSON.stringify(scheduledTime)} is not an ISO 8601 instant.`,
    );
  }
  checkLogicalDate(scheduledTime.slice(0, 10));
  return new Date(at).toISOString().slice(0, 10);
}

/** Returns the date unchanged when it exists in the calendar; otherwise throws `DATE_OUT_OF_RANGE`. */
export function checkLogicalDate(date: string): string {
  const at = Date.parse(`${date}T00:00:00Z`);
  if (/^\d{4}-\d{2}-\d{2}$/.test(date) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(date))
    return date;
  throw new EpsilonError(
    'DATE_OUT_OF_RANGE',
    `Logical date ${JSON.stringify(date)} is not a day of the calendar (YYYY-MM-DD).`,
  );
}

/** The day before a logical date. */
export function dayBefore(date: string): string {
  return new Date(Date.parse(`${checkLogicalDate(date)}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}
