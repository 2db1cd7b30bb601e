/** A row of a NAB file as its rules see it: the detector's score, what an alarm here is worth, and the window it lies in. */
export interface ScoredRow {
  readonly anomaly: number;
  readonly worth: number;
  /** undefined: outside every window, where an alarm is false. */
  readonly window: string | undefined;
}

/** Weights of NAB's profile "standard" (config/profiles.json). */
const weights = { truePositive: 1, falsePositive: 0.11, falseNegative: 1 };

/** Share of a file whose alarms are not scored, of at most 5,000 rows (NAB, Sweeper). */
const probation = 0.15;

/** NAB's scaled sigmoid: 0.99 at the left edge of a window, 0 at its right edge, -1 far behind it. */
function scaledSigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

interface Window {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function windowsOf(
  file: string,
  timestamps: readonly string[],
  limits: readonly [string, string][],
): Window[] {
  const indexes = new Map(timestamps.map((timestamp, index) => [timestamp, index]));
  return limits.map(([from, to]) => {
    const [first, last] = [indexes.get(from.slice(0, 19)), indexes.get(to.slice(0, 19))];
    if (first === undefined || last === undefined) throw new Error(`${file} has no row at ${from} or ${to}`);
    return { name: `${file}|${from}`, from: first, to: last };
  });
}

function worthOf(index: number, inside: Window | undefined, before: Window | undefined): number {
  if (inside) {
    const position = -(inside.to - index + 1) / (inside.to - inside.from + 1);
    return (scaledSigmoid(position) * weights.truePositive) / scaledSigmoid(-1);
  }
  const position = before ? (index - before.to) / (before.to - before.from) : Number.POSITIVE_INFINITY;
  return scaledSigmoid(position) * weights.falsePositive;
}

/** The scorable rows of one file: those of the probation at its beginning are left out. */
export function scoreRows(
  file: string,
  timestamps: readonly string[],
  anomalies: readonly number[],
  limits: readonly [string, string][],
): ScoredRow[] {
  const windows = windowsOf(file, timestamps, limits);
  const silent = Math.min(Math.floor(probation * anomalies.length), probation * 5000);
  return anomalies.flatMap((anomaly, index) => {
    if (index < silent) return [];
    const inside = windows.find(({ from, to }) => index >= from && index <= to);
    const before = windows.filter(({ to }) => to < index).at(-1);
    return [{ anomaly, worth: worthOf(index, inside, before), window: inside?.name }];
  });
}

/** What a threshold brings on some files. */
export interface AtThreshold {
  readonly threshold: number;
  /** Sum of what the alarms are worth and what missed windows cost. */
  readonly raw: number;
  /** Windows with at least one alarm. */
  readonly found: number;
  /** Alarms outside windows. */
  readonly falseAlarms: number;
}

/** Every threshold that changes something, from the highest; the first raises no alarm at all. */
export function sweep(rows: readonly ScoredRow[]): AtThreshold[] {
  const best = new Map<string, number>();
  for (const { window } of rows) if (window !== undefined) best.set(window, -weights.falseNegative);
  const windows = best.size;
  let raw = -windows * weights.falseNegative;
  let found = 0;
  let falseAlarms = 0;
  const swept: AtThreshold[] = [];
  let threshold = 1.1;
  for (const row of rows.toSorted((a, b) => b.anomaly - a.anomaly)) {
    if (row.anomaly !== threshold) swept.push({ threshold, raw, found, falseAlarms });
    threshold = row.anomaly;
    if (row.window === undefined) {
      raw += row.worth;
      falseAlarms += 1;
      continue;
    }
    const before = best.get(row.window) ?? 0;
    if (before === -weights.falseNegative) found += 1;
    if (row.worth > before) {
      best.set(row.window, row.worth);
      raw += row.worth - before;
    }
  }
  return [...swept, { threshold, raw, found, falseAlarms }];
}

/** What the alarms at a fixed threshold bring. */
export function atThreshold(rows: readonly ScoredRow[], threshold: number): AtThreshold {
  const reached = sweep(rows).filter((each) => each.threshold >= threshold);
  const last = reached.at(-1);
  if (!last) throw new Error('a sweep begins above every threshold');
  return last;
}

/** NAB's score: 0 for a detector that never raises an alarm, 100 for one that finds every window at its left edge. */
export function normalised(raw: number, windows: number): number {
  const silent = -windows * weights.falseNegative;
  return (100 * (raw - silent)) / (windows * weights.truePositive - silent);
}
