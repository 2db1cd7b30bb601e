import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { Schedules } from '../../ports/schedules.ts';

/** Delivers a schedule's own event as if it were `scheduledTime` (ISO 8601). `SCHEDULE_NOT_FOUND`, `DATE_OUT_OF_RANGE`. */
export async function fireSchedule(
  { schedules }: { readonly schedules: Schedules },
  name: string,
  scheduledTime: string,
): Promise<void> {
  const at = Date.parse(scheduledTime);
  if (Number.isNaN(at))
    throw new EpsilonError('DATE_OUT_OF_RANGE', `Time ${scheduledTime} is not an ISO 8601 instant.`);
  await schedules.fire(name, new Date(at).toISOString());
}
