import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

/** Longest distance at which two offsets of one zone are compared; no zone shifts its clocks by more than this. */
const reach = 3 * 3_600_000;

/** A zone's clock. A wall time is held as if it were UTC, in milliseconds. */
export interface WallClock {
  /** What the clock on the wall shows at an instant. */
  wallOf(instant: number): number;
  /**
   * The instant of a wall time: the first one when the clock shows it twice (autumn), undefined when the clock never
   * shows it (spring). Instants rise with their wall times.
   */
  instantOf(wall: number): number | undefined;
  /** How far the clock was put back within the last hours, in milliseconds; otherwise 0. */
  putBackBefore(instant: number): number;
}

/** Throws `TIMEZONE_UNKNOWN` unless the name is in the IANA database this Node carries and means one place. */
export function checkTimezone(timezone: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    // Three-letter names mean several zones at once, and bare offsets know no daylight saving time.
    if (timezone === 'UTC' || /^[A-Z][A-Za-z]+\/[A-Z]/.test(timezone)) return timezone;
  } catch {
    // Falls through to the one message.
  }
  throw new EpsilonError(
    'TIMEZONE_UNKNOWN',
    `Time zone ${JSON.stringify(timezone)} is not an IANA name such as "Europe/Berlin" or "UTC".`,
    { details: { timezone } },
  );
}

function offsetIn(format: Intl.DateTimeFormat, instant: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  return wall - Math.floor(instant / 1000) * 1000;
}

/** The clock of an IANA zone; throws `TIMEZONE_UNKNOWN`. */
export function wallClock(timezone: string): WallClock {
  if (checkTimezone(timezone) === 'UTC')
    return { wallOf: (instant) => instant, instantOf: (wall) => wall, putBackBefore: () => 0 };
  const format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offset = (instant: number) => offsetIn(format, instant);
  const wallOf = (instant: number) => instant + offset(instant);
  return {
    wallOf,
    instantOf: (wall) => {
      const day = 86_400_000;
      // The offsets before and after whatever change may be near; the earlier instant comes first.
      const candidates = [offset(wall - day), offset(wall + day)].map((each) => wall - each);
      return candidates.sort((a, b) => a - b).find((instant) => wallOf(instant) === wall);
    },
    putBackBefore: (instant) => Math.max(0, offset(instant - reach) - offset(instant)),
  };
}
