import { exceeds, expressionWeights } from '../../model/measure.ts';
import { evaluationLimits, Stopped, stoppedBecause } from '../limits.ts';

/** Counts what one evaluation takes; throws `Stopped` at a limit. */
export class Count {
  steps = 0;
  depth = 0;

  charge(steps: number): void {
    this.steps += steps;
    if (this.steps > evaluationLimits.steps) throw new Stopped(stoppedBecause.endless);
  }

  enter(): void {
    this.charge(1);
    this.depth += 1;
    if (this.depth > evaluationLimits.depth) throw new Stopped(stoppedBecause.depth);
  }

  leave(result: unknown): void {
    this.depth -= 1;
    checkSize(result);
  }
}

/** Refuses a value whose own length is too large; what it holds was checked when it was made. */
export function checkSize(value: unknown): void {
  const bytes = typeof value === 'string' ? value.length : Array.isArray(value) ? value.length * 8 : 0;
  if (bytes > evaluationLimits.valueBytes) throw new Stopped(stoppedBecause.memory);
}

function refuseBeyond(bytes: number): void {
  if (bytes > evaluationLimits.valueBytes) throw new Stopped(stoppedBecause.memory);
}

const lengthOf = (value: unknown) => (typeof value === 'string' || Array.isArray(value) ? value.length : 0);

/** What a string function would make, refused before it is made. */
const sizes: Readonly<Record<string, (args: readonly unknown[]) => number>> = {
  pad: ([text, width]) => Math.max(lengthOf(text), Math.abs(Number(width ?? 0))),
  join: ([texts, separator]) => {
    const list = Array.isArray(texts) ? texts : [];
    return list.reduce<number>((sum, text) => sum + lengthOf(text), list.length * lengthOf(separator));
  },
  replace: ([text, pattern, by]) => {
    if (typeof text !== 'string' || typeof pattern !== 'string' || typeof by !== 'string' || pattern === '')
      return 0;
    return text.length + (text.split(pattern).length - 1) * (by.length - pattern.length);
  },
};

/** Functions that write their argument as text, whatever it holds. */
const writers: ReadonlySet<string> = new Set(['string', 'clone']);

/** Work of a function in steps: a thousand characters or a hundred items are one. */
function workOf(name: string, args: readonly unknown[]): number {
  const length = args.reduce<number>(
    (sum, arg) => sum + lengthOf(arg) / (Array.isArray(arg) ? 100 : 1_000),
    1,
  );
  const [first] = args;
  // Comparisons of a sort that no expression makes.
  return name === 'sort' && Array.isArray(first)
    ? length + (first.length * Math.log2(first.length + 1)) / 20
    : length;
}

/** Charges the call of one of the library's functions before it is made. */
export function chargeCall(count: Count, name: string, args: readonly unknown[]): void {
  count.charge(workOf(name, args));
  refuseBeyond(sizes[name]?.(args) ?? 0);
  if (writers.has(name) && exceeds(args[0], evaluationLimits.valueBytes, expressionWeights))
    throw new Stopped(stoppedBecause.memory);
}

/** A value's text with its keys in order, so that equal values have one; its parts are counted. */
function keyOf(count: Count, value: unknown): string {
  count.charge(1 / 100);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? String(value);
  if (Array.isArray(value)) return `[${value.map((each) => keyOf(count, each)).join(',')}]`;
  const record = value as Readonly<Record<string, unknown>>;
  const fields = Object.keys(record)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${keyOf(count, record[name])}`);
  return `{${fields.join(',')}}`;
}

/** `$distinct` by each value's key: the library compares every pair. Gives what the library gives. */
export function distinct(count: Count, list: unknown): unknown {
  if (!Array.isArray(list) || list.length <= 1) return list;
  const seen = new Set<string>();
  const results = list.filter((value) => {
    const key = keyOf(count, value);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return 'sequence' in list ? Object.defineProperty(results, 'sequence', { value: true }) : results;
}
