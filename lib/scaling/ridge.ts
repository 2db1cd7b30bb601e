/** What a regression on a series' own past looks back at. */
export interface Regression {
  /** Hours back, rising. */
  readonly lags: readonly number[];
  /** Weight of small coefficients against a close fit; in units of the variance of what is regressed on. */
  readonly penalty: number;
}

/** Hours of a day, each with a level of its own. */
const hoursOfDay = 24;

/** How far beyond what was seen, in parts of its range, a forecast may go. */
const beyondRange = 0.5;

/** Solves a·x = b for a symmetric, positive definite a (row by row, the lower half) by Cholesky; overwrites a. */
function solve(a: Float64Array, b: Float64Array): Float64Array {
  const size = b.length;
  const at = (row: number, column: number) => a[row * size + column] ?? 0;
  for (let column = 0; column < size; column += 1) {
    for (let before = 0; before < column; before += 1) {
      const factor = at(column, before);
      if (factor === 0) continue;
      for (let row = column; row < size; row += 1)
        a[row * size + column] = at(row, column) - at(row, before) * factor;
    }
    const root = Math.sqrt(Math.max(at(column, column), Number.EPSILON));
    for (let row = column; row < size; row += 1) a[row * size + column] = at(row, column) / root;
  }
  const x = Float64Array.from(b);
  for (let row = 0; row < size; row += 1) {
    let sum = x[row] ?? 0;
    for (let column = 0; column < row; column += 1) sum -= at(row, column) * (x[column] ?? 0);
    x[row] = sum / at(row, row);
  }
  for (let row = size - 1; row >= 0; row -= 1) {
    let sum = x[row] ?? 0;
    for (let below = row + 1; below < size; below += 1) sum -= at(below, row) * (x[below] ?? 0);
    x[row] = sum / at(row, row);
  }
  return x;
}

/** Sums of products of one row after another: what a least-squares fit needs of them. */
interface Sums {
  readonly products: Float64Array;
  readonly targets: Float64Array;
  readonly rows: number;
}

function sumsOf(values: Float64Array, measured: Uint8Array, mean: number, lags: readonly number[]): Sums {
  const size = lags.length + hoursOfDay;
  const products = new Float64Array(size * size);
  const targets = new Float64Array(size);
  const row = new Float64Array(lags.length);
  let rows = 0;
  for (let hour = lags.at(-1) ?? 0; hour < values.length; hour += 1) {
    if (measured[hour] === 0) continue;
    rows += 1;
    const target = (values[hour] ?? 0) - mean;
    const level = lags.length + (hour % hoursOfDay);
    for (let i = 0; i < row.length; i += 1) row[i] = (values[hour - (lags[i] ?? 0)] ?? 0) - mean;
    for (let i = 0; i < row.length; i += 1) {
      const x = row[i] ?? 0;
      targets[i] = (targets[i] ?? 0) + x * target;
      products[level * size + i] = (products[level * size + i] ?? 0) + x;
      for (let j = 0; j <= i; j += 1)
        products[i * size + j] = (products[i * size + j] ?? 0) + x * (row[j] ?? 0);
    }
    products[level * size + level] = (products[level * size + level] ?? 0) + 1;
    targets[level] = (targets[level] ?? 0) + target;
  }
  return { products, targets, rows };
}

/** Weights of the lags, then levels of the hours of a day. */
function weightsOf({ products, targets, rows }: Sums, { lags, penalty }: Regression): Float64Array {
  const size = targets.length;
  let variance = 0;
  for (let i = 0; i < lags.length; i += 1) variance += products[i * size + i] ?? 0;
  variance = variance / Math.max(1, lags.length * rows) + Number.EPSILON;
  for (let i = 0; i < size; i += 1)
    products[i * size + i] = (products[i * size + i] ?? 0) + (i < lags.length ? penalty * variance : penalty);
  return solve(products, targets);
}

/**
 * Forecast of a series by a ridge regression on its own past and on the hour of the day, hour after hour on its own forecasts. Hours
 * that were not measured are looked back at, but not learned from. What is forecast stays within half the seen range around it.
 */
export function regress(
  values: Float64Array,
  measured: Uint8Array,
  regression: Regression,
  hours: number,
): Float64Array {
  const { lags } = regression;
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, count);
  const weights = weightsOf(sumsOf(values, measured, mean, lags), regression);
  const least = values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const most = values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
  const room = (most - least) * beyondRange;
  const all = new Float64Array(count + hours);
  all.set(values);
  for (let hour = count; hour < count + hours; hour += 1) {
    let sum = mean + (weights[lags.length + (hour % hoursOfDay)] ?? 0);
    for (let i = 0; i < lags.length; i += 1)
      sum += (weights[i] ?? 0) * ((all[hour - (lags[i] ?? 0)] ?? 0) - mean);
    all[hour] = Math.min(most + room, Math.max(least - room, sum));
  }
  return all.subarray(count);
}
