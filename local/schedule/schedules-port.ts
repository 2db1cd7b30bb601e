import { NotFound } from '../../lib/errors/store-errors.ts';
import type { Schedules } from '../../lib/ports/schedules.ts';
import type { Scheduler } from './scheduler.ts';

/** The declared schedules, for people and programs. */
export function schedulesPort(scheduler: Scheduler): Schedules {
  return {
    list: async () =>
      scheduler.list().map(({ schedule, next, previous }) => ({
        name: schedule.name,
        expression: schedule.expression,
        timezone: schedule.timezone,
        enabled: schedule.enabled,
        ...(next ? { next: next.toISOString() } : {}),
        ...(previous ? { previous: previous.toISOString() } : {}),
      })),
    fire: async (name, scheduledTime) => {
      if (await scheduler.fire(name, scheduledTime)) return;
      const known = scheduler.list().map(({ schedule }) => schedule.name);
      throw new NotFound(
        'SCHEDULE_NOT_FOUND',
        `There is no schedule "${name}" (known: ${known.join(', ')}).`,
      );
    },
  };
}
