/** Maps the values of an axis to places of the drawing. */
export interface Scale {
  readonly place: (value: number) => number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

/** Where an axis begins and ends, in the drawing. */
interface Extent {
  readonly from: number;
  readonly to: number;
}

const number = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 });

/** A number as people read it, with thousands separated. */
export const showNumber = (value: number): string => number.format(value);

/** The least of 1, 2, 5 times a power of ten that divides `span` into at most `most` parts. */
function niceStep(span: number, most: number): number {
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 5, 10].find((each) => span / (each * power) <= most) ?? 10;
  return step * power;
}

/** The least and the greatest of the finite values; undefined without any. */
export function rangeOf(values: Iterable<number>): { least: number; most: number } | undefined {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values)
    if (Number.isFinite(value)) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return least > most ? undefined : { least, most };
}

/** An axis of numbers with about five round ticks; a single number is in the middle. */
export function numberScale(
  { least, most }: { least: number; most: number },
  { from, to }: Extent,
  show: (value: number) => string = showNumber,
): Scale {
  const room = most > least ? 0 : Math.abs(most) / 2;
  const [bottom, top] = most > least || room > 0 ? [least - room, most + room] : [0, 1];
  const step = niceStep(top - bottom, 5);
  const low = Math.floor(bottom / step) * step;
  const high = Math.ceil(top / step) * step;
  const count = Math.round((high - low) / step);
  const place = (value: number) => from + ((value - low) / (high - low)) * (to - from);
  const ticks = Array.from({ length: count + 1 }, (_, index) => low + index * step).map((at) => ({
    at,
    // 0.1 + 0.2 is written 0.3.
    label: show(Number(at.toPrecision(12))),
  }));
  return { place, ticks };
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Distances between ticks of a time axis. */
const timeSteps = [
  ...[1, 5, 15, 30].map((count) => count * minute),
  ...[1, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 28, 91, 364].map((count) => count * day),
];

/** 1 January 1970 was a Thursday; weeks are counted from Mondays. */
const firstMonday = 4 * day;

function timeLabel(at: number, step: number): string {
  const iso = new Date(at).toISOString();
  if (step >= day) return iso.slice(step > 300 * day ? 0 : 5, 10);
  return at % day === 0 ? iso.slice(5, 10) : iso.slice(11, 16);
}

/** An axis of instants (milliseconds) with ticks at whole minutes, hours, days or Mondays, UTC. */
export function timeScale({ least, most }: { least: number; most: number }, { from, to }: Extent): Scale {
  const [low, high] = most > least ? [least, most] : [least - hour, most + hour];
  const step = timeSteps.find((each) => (high - low) / each <= 8) ?? (high - low) / 8;
  const origin = step >= 7 * day ? firstMonday : 0;
  const first = Math.ceil((low - origin) / step) * step + origin;
  const ticks: { at: number; label: string }[] = [];
  for (let at = first; at <= high; at += step) ticks.push({ at, label: timeLabel(at, step) });
  return { place: (value) => from + ((value - low) / (high - low)) * (to - from), ticks };
}
