import { Cron } from 'croner';
import { scheduleInvalid, translateCron } from './cron-fields.ts';
import { checkTimezone, type WallClock, wallClock } from './wall-clock.ts';

/** When a schedule falls due. */
export interface Occurrences {
  /** The first occurrence after an instant; undefined when there is none. */
  next(after: Date): Date | undefined;
  /** The last occurrence at or before an instant; undefined when there is none. */
  previous(before: Date): Date | undefined;
}

/** What surrounds an expression. */
export interface ScheduleOptions {
  /** IANA name; UTC when absent. */
  readonly timezone?: string;
  /** No occurrence is earlier; a rate counts from here (from the Unix epoch when absent). */
  readonly startDate?: Date;
  /** No occurrence is later. */
  readonly endDate?: Date;
}

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The last millisecond that a Date can hold (ECMAScript, "Time Values and Time Range"). */
const latestTime = 8.64e15;

function parseRate(expression: string, origin: number): Occurrences {
  const [, count = '', unit = '', plural = ''] =
    /^rate\((\d{1,9}) (minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  const every = Number(count);
  if (unit === '' || every < 1)
    throw scheduleInvalid(
      expression,
      'a rate needs a positive whole number and minute(s), hour(s) or day(s)',
      'rate(5 minutes)',
    );
  if ((every === 1) !== (plural === '')) {
    throw scheduleInvalid(
      expression,
      'the unit must be singular for 1 and plural otherwise',
      `rate(${every} ${unit}${every === 1 ? '' : 's'})`,
    );
  }
  const step = every * (unitMs[unit] ?? 0);
  if (origin + step > latestTime)
    throw scheduleInvalid(expression, 'its first time would be later than any date', 'rate(365 days)');
  // Counted from a fixed origin, so that every restart sees the same occurrences. A day is 24 hours, also when the
  // clocks change, as on the service.
  return {
    next: (after) => {
      const due = origin + (Math.floor((after.getTime() - origin) / step) + 1) * step;
      return due > latestTime ? undefined : new Date(due);
    },
    previous: (before) => new Date(origin + Math.floor((before.getTime() - origin) / step) * step),
  };
}

function parseAt(expression: string, clock: WallClock): Occurrences {
  const [, text = ''] = /^at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)$/.exec(expression) ?? [];
  const example = 'at(2026-11-24T02:00:00)';
  if (text === '') throw scheduleInvalid(expression, 'an instant must be written without a zone', example);
  const wall = Date.parse(`${text}Z`);
  if (Number.isNaN(wall) || !new Date(wall).toISOString().startsWith(text))
    throw scheduleInvalid(expression, 'that day or time does not exist', example);
  const instant = clock.instantOf(wall);
  if (instant === undefined) {
    const later = new Date(wall + 3_600_000).toISOString().slice(0, 19);
    throw scheduleInvalid(expression, 'the clocks of its time zone skip that time', `at(${later})`);
  }
  const due = new Date(instant);
  return {
    next: (after) => (due > after ? due : undefined),
    previous: (before) => (due <= before ? due : undefined),
  };
}

/**
 * Occurrences are found on the wall (croner works in UTC, so it never sees a clock change) and then placed in time:
 * a time that the clocks skip in spring is left out, one that they show twice in autumn happens once, the first time.
 * That is EventBridge Scheduler's rule (docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html).
 */
function parseCron(expression: string, clock: WallClock): Occurrences {
  const cron = new Cron(translateCron(expression), {
    timezone: 'UTC',
    paused: true,
    mode: '7-part',
    domAndDow: true,
  });
  const later = (wall: number) => cron.nextRun(new Date(wall))?.getTime();
  const earlier = (wall: number) => cron.previousRuns(1, new Date(wall))[0]?.getTime();
  if (later(-1) === undefined)
    throw scheduleInvalid(expression, 'no day fits, so it would never fall due', 'cron(0 2 L * ? *)');
  return {
    next: (after) => {
      for (let wall = later(clock.wallOf(after.getTime())); wall !== undefined; wall = later(wall)) {
        const instant = clock.instantOf(wall);
        if (instant !== undefined && instant > after.getTime()) return new Date(instant);
      }
      return undefined;
    },
    previous: (before) => {
      const limit = before.getTime();
      // In a repeated hour, wall times beyond the present one have been already. The search is strictly before and in
      // whole seconds.
      const from = Math.floor((clock.wallOf(limit) + clock.putBackBefore(limit)) / 1000) * 1000 + 1000;
      for (let wall = earlier(from); wall !== undefined; wall = earlier(wall)) {
        const instant = clock.instantOf(wall);
        if (instant !== undefined && instant <= limit) return new Date(instant);
      }
      return undefined;
    },
  };
}

function within(occurrences: Occurrences, { startDate, endDate }: ScheduleOptions): Occurrences {
  const inside = (due: Date | undefined) =>
    due && (!startDate || due >= startDate) && (!endDate || due <= endDate) ? due : undefined;
  return {
    next: (after) =>
      inside(occurrences.next(startDate && after < startDate ? new Date(startDate.getTime() - 1) : after)),
    previous: (before) => inside(occurrences.previous(endDate && before > endDate ? endDate : before)),
  };
}

function parse(expression: string, zone: string, options: ScheduleOptions): Occurrences {
  if (expression.startsWith('rate(')) return parseRate(expression, options.startDate?.getTime() ?? 0);
  if (expression.startsWith('at(')) return parseAt(expression, wallClock(zone));
  if (expression.startsWith('cron(')) return parseCron(expression, wallClock(zone));
  throw scheduleInvalid(expression, 'it must begin with cron(, rate( or at(', 'cron(0 2 * * ? *)');
}

/**
 * Reads `cron(...)`, `rate(...)` or `at(...)` as EventBridge Scheduler does; the second argument may be just the time
 * zone. Throws `SCHEDULE_INVALID` with a corrected example, or `TIMEZONE_UNKNOWN`.
 */
export function parseSchedule(expression: string, options: string | ScheduleOptions = {}): Occurrences {
  const given = typeof options === 'string' ? { timezone: options } : options;
  const { timezone = 'UTC' } = given;
  return within(parse(expression, checkTimezone(timezone), given), given);
}
