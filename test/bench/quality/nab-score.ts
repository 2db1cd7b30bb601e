/** One row of a file after the probation period. */
export interface Point {
  /** Index of its file. */
  readonly file: number;
  readonly at: number;
  /** What the detector says: larger is more unusual. */
  readonly score: number;
  /** What an alarm here counts: up to 1 within a window, down to -0.11 outside. */
  readonly worth: number;
  /** The window that the row is in, unique in the corpus; -1 outside. */
  readonly window: number;
}

/** One file of the corpus. */
export interface NabFile {
  readonly name: string;
  readonly times: readonly string[];
  readonly values: readonly number[];
  /** First and last time of each labelled window. */
  readonly windows: readonly (readonly [string, string])[];
}

/** Weights of the standard profile: found, missed, and a false alarm. */
const weights = { found: 1, missed: 1, false: 0.11 };

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** -1 well behind a window, 0 at its right edge, 0.987 at its left one (nab/sweeper.py). */
const scaled = (position: number) => (position > 3 ? -1 : 2 * sigmoid(-5 * position) - 1);

/** Rows at the beginning that are not scored: 15 %, at most 750. */
const probation = (rows: number) => Math.min(Math.floor(0.15 * rows), 0.15 * 5_000);

interface Passed {
  readonly right: number;
  readonly width: number;
}

/** What alarms of one file's rows count; `window` numbers its windows from `firstWindow`. */
function pointsOf(
  { times, windows }: NabFile,
  scores: ArrayLike<number>,
  { file, firstWindow }: { file: number; firstWindow: number },
): Point[] {
  const points: Point[] = [];
  let next = 0;
  let open: (Passed & { readonly number: number }) | undefined;
  let passed: Passed | undefined;
  const begin = probation(times.length);
  times.forEach((time, at) => {
    const [left, last = ''] = windows[next] ?? [];
    if (time === left) {
      const right = times.indexOf(last);
      open = { right, width: right - times.indexOf(time) + 1, number: firstWindow + next };
      next += 1;
    }
    const behind = passed ? scaled(Math.abs(passed.right - at) / (passed.width - 1)) : -1;
    const worth = open
      ? (scaled(-(open.right - at + 1) / open.width) * weights.found) / scaled(-1)
      : behind * weights.false;
    if (at >= begin) points.push({ file, at, score: scores[at] ?? 0, worth, window: open?.number ?? -1 });
    if (open && at === open.right) {
      passed = open;
      open = undefined;
    }
  });
  return points;
}

/** What a threshold gives over some files. */
export interface Outcome {
  readonly threshold: number;
  /** 0 for no alarm at all, 100 for every window found at its left edge and nothing else. */
  readonly score: number;
  /** Share of windows with an alarm. */
  readonly recall: number;
  /** Alarms outside of windows among 1,000 rows. */
  readonly falsePerThousand: number;
}

/** Counts alarms as they are added, whatever the order. */
class Sum {
  readonly #found = new Map<number, number>();
  #windows: number;
  #rows = 0;
  #false = 0;
  #falseWorth = 0;
  #foundWorth = 0;

  constructor(windows: number) {
    this.#windows = windows;
  }

  row(): void {
    this.#rows += 1;
  }

  add({ window, worth }: Point): void {
    if (window < 0) {
      this.#false += 1;
      this.#falseWorth += worth;
      return;
    }
    const before = this.#found.get(window) ?? -weights.missed;
    if (worth <= before) return;
    this.#foundWorth += worth - (this.#found.has(window) ? before : 0);
    this.#found.set(window, worth);
  }

  outcome(threshold: number): Outcome {
    const missed = this.#windows - this.#found.size;
    const total = this.#falseWorth + this.#foundWorth - missed * weights.missed;
    const none = -this.#windows * weights.missed;
    return {
      threshold,
      score: (100 * (total - none)) / (this.#windows - none),
      recall: this.#windows === 0 ? 1 : this.#found.size / this.#windows,
      falsePerThousand: this.#rows === 0 ? 0 : (1_000 * this.#false) / this.#rows,
    };
  }
}

/** A detector's rows with the largest score first, and the windows of each file. */
export interface Scored {
  readonly points: readonly Point[];
  readonly windowsOf: readonly number[];
}

/** Rows of a detector, ordered once. */
export function scored(files: readonly NabFile[], scores: readonly ArrayLike<number>[]): Scored {
  let firstWindow = 0;
  const points = files.flatMap((each, file) => {
    const own = pointsOf(each, scores[file] ?? [], { file, firstWindow });
    firstWindow += each.windows.length;
    return own;
  });
  return {
    points: points.sort((a, b) => b.score - a.score),
    windowsOf: files.map(({ windows }) => windows.length),
  };
}

function sumOf({ points, windowsOf }: Scored, chosen: ReadonlySet<number>): Sum {
  const sum = new Sum(windowsOf.reduce((all, windows, file) => all + (chosen.has(file) ? windows : 0), 0));
  for (const { file } of points) if (chosen.has(file)) sum.row();
  return sum;
}

/** What every threshold gives over the chosen files, from the highest on, handed to `each`. */
function sweep(all: Scored, chosen: ReadonlySet<number>, each: (outcome: Outcome) => void): void {
  const sum = sumOf(all, chosen);
  let before = Number.POSITIVE_INFINITY;
  for (const point of all.points) {
    if (!chosen.has(point.file)) continue;
    if (point.score !== before) each(sum.outcome(before));
    before = point.score;
    sum.add(point);
  }
  each(sum.outcome(before));
}

/** The threshold with the best score over the chosen files, optionally among those with few false alarms. */
export function best(
  all: Scored,
  chosen: ReadonlySet<number>,
  mostFalse = Number.POSITIVE_INFINITY,
): Outcome {
  let found: Outcome | undefined;
  sweep(all, chosen, (outcome) => {
    if (outcome.falsePerThousand <= mostFalse && outcome.score > (found?.score ?? Number.NEGATIVE_INFINITY))
      found = outcome;
  });
  if (!found) throw new Error('There are no rows.');
  return found;
}

/** What alarms from `threshold` on give over the chosen files. */
export function at(all: Scored, chosen: ReadonlySet<number>, threshold: number): Outcome {
  const sum = sumOf(all, chosen);
  for (const point of all.points) {
    if (point.score < threshold) break;
    if (chosen.has(point.file)) sum.add(point);
  }
  return sum.outcome(threshold);
}
