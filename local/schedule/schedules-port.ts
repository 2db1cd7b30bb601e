import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import type { Schedules } from '../../lib/ports/schedules.ts';
import type { Scheduler } from './scheduler.ts';

/** The declared schedules, for people and programs. */
export function schedulesPort(scheduler: Scheduler): Schedules {
  async function unknown(name: string): Promise<NotFound> {
    const known = (await scheduler.list()).map(({ schedule }) => schedule.name);
    return new NotFound('SCHEDULE_NOT_FOUND', `There is no schedule "${name}" (known: ${known.join(', ')}).`);
  }
  return {
    list: async () =>
      (await scheduler.list()).map(({ schedule, paused, next, previous }) => ({
        name: schedule.name,
        expression: schedule.expression,
        timezone: schedule.timezone,
        enabled: schedule.enabled && !paused,
        paused,
        ...(next ? { next: next.toISOString() } : {}),
        ...(previous ? { previous: previous.toISOString() } : {}),
      })),
    fire: async (name, scheduledTime) => {
      if (!(await scheduler.fire(name, scheduledTime))) throw await unknown(name);
    },
    pause: async (name) => {
      if (!(await scheduler.setPaused(name, true))) throw await unknown(name);
    },
    resume: async (name) => {
      const declared = (await scheduler.list()).find(({ schedule }) => schedule.name === name);
      if (declared?.schedule.enabled === false)
        throw new EpsilonError(
          'SCHEDULE_OFF',
          `Schedule "${name}" is off by its declaration; set its State to ENABLED in events/schedules.yml.`,
          { exitCode: exitCodes.conflict },
        );
      if (!(await scheduler.setPaused(name, false))) throw await unknown(name);
    },
  };
}
