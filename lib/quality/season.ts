/**
 * What a series usually is at an hour, forecast in two ways side by side. Which one is believed follows from how well each has
 * forecast lately: the plain one is the first to be of use, the week knows most.
 */
export interface Season {
  /** The plain forecast: a level with departures by hour of the day (UTC) and by weekday, Sunday first, and how often each was seen. */
  readonly level: number;
  readonly hours: readonly number[];
  readonly hourCounts: readonly number[];
  readonly days: readonly number[];
  readonly dayCounts: readonly number[];
  /** The value at each hour of the week, from Sunday 00:00; null where it was never seen, empty where none are kept. */
  readonly week: readonly (number | null)[];
  /** How far the last days are from the week that is kept: growth, or a new level. */
  readonly drift: number;
  /** Mean squares of what the plain forecast and the week were wrong by in the last weeks. */
  readonly errors: readonly [number, number, number];
  /** The same of the last day or two: the week, and the week an hour earlier and an hour later. */
  readonly shifts: readonly [number, number, number];
}

type Four = readonly [number, number, number, number];

/** Smallest share of a new value; each begins with a plain mean and slows down to this. */
const gains = { level: 0.005, hour: 0.05, day: 0.02, week: 0.25, drift: 0.02, error: 0.005, shift: 0.04 };

/** Values that a departure counts as having seen at 0, so that young cells lean on the level. */
const shrinkage = { hour: 8, day: 50 };

/**
 * Days of the week share what they know of an hour as far as they are alike in it: a day whose value is this many times the mean error of
 * the week away counts 0.61. Workdays teach each other so, and not the weekend.
 */
const alike = 0.7;

/** The clock has moved when the week an hour earlier or later forecasts with this share of the error or less. */
const shifted = 0.4;

const hoursOfWeek = 168;

const filled = <T>(length: number, value: T): T[] => Array.from({ length }, () => value);

/** The season before the first value; with the hours of the week or without. */
export function newSeason({ weekly }: { readonly weekly: boolean }): Season {
  return {
    level: 0,
    hours: filled(24, 0),
    hourCounts: filled(24, 0),
    days: filled(7, 0),
    dayCounts: filled(7, 0),
    week: filled<number | null>(weekly ? hoursOfWeek : 0, null),
    drift: 0,
    errors: [0, 0, 0],
    shifts: [0, 0, 0],
  };
}

interface Cell {
  readonly hour: number;
  readonly day: number;
  readonly hourOfWeek: number;
}

function cellOf(at: number): Cell {
  const date = new Date(at);
  const [hour, day] = [date.getUTCHours(), date.getUTCDay()];
  return { hour, day, hourOfWeek: day * 24 + hour };
}

/** What is known of an hour of the week, with what days that are alike in it say; null where it was never seen. */
function knownAt({ week, errors, shifts }: Season, hourOfWeek: number): number | null {
  const own = week[hourOfWeek] ?? null;
  if (own === null) return null;
  // Of the error of weeks and that of the last day the smaller one: neither a beginning nor an incident makes all days alike.
  const width = 2 * alike * alike * Math.min(errors[1], shifts[0]);
  let [sum, parts] = [own, 1];
  for (let hour = hourOfWeek % 24; hour < hoursOfWeek; hour += 24) {
    const other = week[hour] ?? null;
    if (other === null || hour === hourOfWeek || width === 0) continue;
    const part = Math.exp(-((other - own) ** 2) / width);
    sum += part * other;
    parts += part;
  }
  return sum / parts;
}

/** The forecasts, in the order of their errors; what was never seen is forecast plainly. */
function forecasts(season: Season, { hour, day, hourOfWeek }: Cell): Four {
  const plain = season.level + (season.hours[hour] ?? 0) + (season.days[day] ?? 0);
  const weekAt = (shift: number) => {
    const known = knownAt(season, (hourOfWeek + shift + hoursOfWeek) % hoursOfWeek);
    return known === null ? plain : known + season.drift;
  };
  return [plain, weekAt(0), weekAt(-1), weekAt(1)];
}

/**
 * The forecast that is believed: both, in the parts that would have been wrong by the least lately (Bates and Granger, 1969). Their errors, and
 * those of both in equal parts, say how much the two have in common.
 */
function believed({ errors: [plain, week, both] }: Season, made: Four): number {
  const common = 2 * both - (plain + week) / 2;
  const apart = plain + week - 2 * common;
  const part = apart <= 0 ? (week < plain ? 1 : 0) : Math.min(1, Math.max(0, (plain - common) / apart));
  return made[0] + part * (made[1] - made[0]);
}

/** First and last day of the month, counted from January, on which some country's Sunday of the clock change falls. */
const clockChanges = [
  [2, 8, 14],
  [2, 25, 31],
  [3, 1, 7],
  [8, 24, 30],
  [9, 1, 7],
  [9, 25, 31],
  [10, 1, 7],
] as const;

const halfDay = 43_200_000;

/** Whether people's clocks may have been moved within the last two and a half days. */
function clocksMayMove(at: number): boolean {
  return [-1, 0, 1, 2, 3, 4, 5].some((halves) => {
    const date = new Date(at - halves * halfDay);
    const [month, day] = [date.getUTCMonth(), date.getUTCDate()];
    return (
      date.getUTCDay() === 0 &&
      clockChanges.some(([of, first, last]) => month === of && day >= first && day <= last)
    );
  });
}

/** Whether an hour earlier and later is as usual, because clocks may have moved: how far a value is off says little then. */
export function mayBeShifted({ week }: Season, at: number): boolean {
  return week.length > 0 && clocksMayMove(at);
}

/**
 * What the series usually is at this time. When clocks may have moved, an hour earlier and an hour later are as usual: then it is the
 * one of all between them that is nearest to `value`.
 */
export function usualAt(season: Season, at: number, value: number): number {
  const made = forecasts(season, cellOf(at));
  const usual = believed(season, made);
  if (!mayBeShifted(season, at)) return usual;
  const bounds = [usual, made[2], made[3]];
  return Math.min(Math.max(value, Math.min(...bounds)), Math.max(...bounds));
}

/** Whether the season knows this hour of the week, or keeps none. */
export function knowsHour({ week }: Season, at: number): boolean {
  return week.length === 0 || (week[cellOf(at).hourOfWeek] ?? null) !== null;
}

/** The whole season an hour later (1) or earlier (-1), after clocks were moved. */
function rotated(season: Season, by: 1 | -1): Season {
  const turn = <T>(values: readonly T[]): T[] =>
    values.map((_, index) => values[(index - by + values.length) % values.length] as T);
  const { hours, hourCounts, week, shifts } = season;
  return {
    ...season,
    hours: turn(hours),
    hourCounts: turn(hourCounts),
    week: turn(week),
    shifts: [shifts[by === 1 ? 1 : 2], shifts[0], shifts[0]],
  };
}

/** Rotates the season when the neighbouring hour has forecast far better for about a day. */
function followClock(season: Season, seen: number): Season {
  const [week, earlier, later] = season.shifts;
  if (season.week.length === 0 || seen < 2 * hoursOfWeek) return season;
  if (Math.min(earlier, later) > shifted * week) return season;
  return rotated(season, earlier <= later ? 1 : -1);
}

const clipped = (value: number, bound: number) => Math.sign(value) * Math.min(Math.abs(value), bound);

/** More digits than a departure is known to would only make a stored season longer. */
const short = (value: number) => Number(value.toPrecision(5));

const changed = <T>(values: readonly T[], index: number, value: T): readonly T[] =>
  values.length === 0 ? values : values.map((each, at) => (at === index ? value : each));

/**
 * The season with a value in it. `bound` is the most that it may depart from each forecast: an incident moves the season as little as a
 * large usual value. `seen` is the number of values before it.
 */
export function learnSeason(
  season: Season,
  { at, value, bound, seen }: { at: number; value: number; bound: number; seen: number },
): Season {
  const cell = cellOf(at);
  const { hour, day, hourOfWeek } = cell;
  const made = forecasts(season, cell);
  const wrong = made.map((each) => clipped(value - each, bound));
  const [plain = 0, week = 0] = wrong;
  const { hours, hourCounts, days, dayCounts, errors, shifts } = season;
  const gainOf = (count = 0, least: number, prior: number) => Math.max(least, 1 / (count + prior));
  const moved = (values: readonly number[], counts: readonly number[], index: number, gain: number) => ({
    values: changed(values, index, short((values[index] ?? 0) + gain * plain)),
    counts: changed(counts, index, (counts[index] ?? 0) + 1),
  });
  const byHour = moved(hours, hourCounts, hour, gainOf(hourCounts[hour], gains.hour, shrinkage.hour));
  const byDay = moved(days, dayCounts, day, gainOf(dayCounts[day], gains.day, shrinkage.day));
  // The first value of an hour of the week is all that is known of it.
  const weekGain = (season.week[hourOfWeek] ?? null) === null ? 1 : gainOf(seen / hoursOfWeek, gains.week, 1);
  const cellBefore = season.week[hourOfWeek] ?? made[1] - season.drift;
  const ofCell = clipped(value - season.drift - cellBefore, bound);
  const lately = (before: number, error = 0, gain = 1) =>
    before + Math.max(gain, 1 / (seen + 1)) * (error * error - before);
  const learnt = {
    level: season.level + Math.max(gains.level, 1 / (seen + 1)) * plain,
    hours: byHour.values,
    hourCounts: byHour.counts,
    days: byDay.values,
    dayCounts: byDay.counts,
    week: changed(season.week, hourOfWeek, short(cellBefore + weekGain * ofCell)),
    drift: season.drift + gains.drift * week,
    errors: [
      lately(errors[0], plain, gains.error),
      lately(errors[1], week, gains.error),
      lately(errors[2], clipped(value - (made[0] + made[1]) / 2, bound), gains.error),
    ] as const,
    shifts: [
      lately(shifts[0], week, gains.shift),
      lately(shifts[1], wrong[2], gains.shift),
      lately(shifts[2], wrong[3], gains.shift),
    ] as const,
  };
  return followClock(learnt, seen);
}
