import { evaluationLimits, Stopped, stoppedBecause } from './limits.ts';

/** What plain expressions see, and what they may still spend in this process before they are evaluated elsewhere. */
export interface PlainScope {
  /** A `$variable`; undefined when it has no value. */
  lookup(name: string): unknown;
  /** Milliseconds since the Unix epoch, for `$now` and `$millis`. */
  now(): number;
  random(): number;
  /** A version 4 UUID. */
  uuid(): string;
  /** Items and thousands of characters that may still be gone through. */
  readonly budget: { left: number };
}

/** Thrown where the values are not plain, or too many; the caller lets the library evaluate the expression. */
export const notPlain = Symbol('not plain');

/** Takes work from the budget; throws `notPlain` when nothing is left. */
export function spend({ budget }: PlainScope, work: number): void {
  budget.left -= work;
  if (budget.left < 0) throw notPlain;
}

const sequences = new WeakSet<object>();

function sequence(values: unknown[]): unknown[] {
  sequences.add(values);
  return values;
}

function unwrap(value: unknown): unknown {
  if (!Array.isArray(value) || !sequences.has(value)) return value;
  return value.length === 0 ? undefined : value.length === 1 ? value[0] : value;
}

/** Adds all of a list; a spread of a long one would exhaust the stack. */
function addAll(to: unknown[], values: readonly unknown[]): void {
  for (const value of values) to.push(value);
}

/** A field of an object, or of every object in a list. */
export function lookUp(item: unknown, key: string, scope: PlainScope): unknown {
  if (Array.isArray(item)) {
    spend(scope, item.length);
    const found: unknown[] = [];
    for (const element of item) {
      const value = lookUp(element, key, scope);
      if (Array.isArray(value)) addAll(found, value);
      else if (value !== undefined) found.push(value);
    }
    return sequence(found);
  }
  if (typeof item !== 'object' || item === null || !Object.hasOwn(item, key)) return undefined;
  return (item as Record<string, unknown>)[key];
}

function flattened(values: readonly unknown[]): unknown[] {
  const flat: unknown[] = [];
  for (const value of values) {
    if (Array.isArray(value)) addAll(flat, value);
    else flat.push(value);
  }
  return flat;
}

/** Follows a path through lists, as the library does. */
export function walk(head: unknown, keys: readonly string[], scope: PlainScope): unknown {
  const first = unwrap(head);
  if (first === undefined) return undefined;
  let items: unknown[] = Array.isArray(first) ? first : [first];
  for (let index = 0; index < keys.length; index += 1) {
    spend(scope, items.length);
    const results: unknown[] = [];
    for (const each of items) {
      const value = unwrap(lookUp(each, keys[index] as string, scope));
      if (value !== undefined) results.push(value);
    }
    const only = results[0];
    const last = index === keys.length - 1;
    if (last && results.length === 1 && Array.isArray(only) && !sequences.has(only)) return only;
    items = results.some(Array.isArray) ? flattened(results) : results;
    if (items.length === 0) return undefined;
  }
  return items.length === 1 ? items[0] : items;
}

/** Text as `&` and `$string` write it. */
export function asText(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value)))
    return String(value);
  throw notPlain;
}

export function asBoolean(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'string') return value.length > 0;
  throw notPlain;
}

function isPrimitive(value: unknown): boolean {
  return (
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  );
}

function equal(left: unknown, right: unknown): boolean {
  if (left === undefined || right === undefined) return false;
  if (!isPrimitive(left) || !isPrimitive(right)) throw notPlain;
  return left === right;
}

type Comparison = (a: number | string, b: number | string) => boolean;

function ordered(left: unknown, right: unknown, compare: Comparison): unknown {
  const fit = typeof left === typeof right && (typeof left === 'number' || typeof left === 'string');
  if (!fit) throw notPlain;
  return compare(left as number, right as number);
}

/** The result of arithmetic on two numbers that is one. */
export function computed(left: unknown, right: unknown, compute: (a: number, b: number) => number): unknown {
  if (typeof left !== 'number' || typeof right !== 'number') throw notPlain;
  const result = compute(left, right);
  if (!Number.isFinite(result)) throw notPlain;
  return result;
}

function joined(left: unknown, right: unknown): string {
  const text = asText(left) + asText(right);
  if (text.length > evaluationLimits.valueBytes) throw new Stopped(stoppedBecause.memory);
  return text;
}

/** Operators whose cost is that of reading their operands. */
export const operators: Readonly<Record<string, (left: unknown, right: unknown) => unknown>> = {
  '&': joined,
  '=': equal,
  '!=': (left, right) => left !== undefined && right !== undefined && !equal(left, right),
  '<': (left, right) => ordered(left, right, (a, b) => a < b),
  '<=': (left, right) => ordered(left, right, (a, b) => a <= b),
  '>': (left, right) => ordered(left, right, (a, b) => a > b),
  '>=': (left, right) => ordered(left, right, (a, b) => a >= b),
  '+': (left, right) => computed(left, right, (a, b) => a + b),
  '-': (left, right) => computed(left, right, (a, b) => a - b),
  '*': (left, right) => computed(left, right, (a, b) => a * b),
  '/': (left, right) => computed(left, right, (a, b) => a / b),
  '%': (left, right) => computed(left, right, (a, b) => a % b),
};

/** Items of a list constructor: lists are taken apart unless they are written as lists. */
export function collect(
  values: readonly unknown[],
  nested: readonly boolean[],
  scope: PlainScope,
): unknown[] {
  const made: unknown[] = [];
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    if (Array.isArray(value) && !nested[index]) {
      spend(scope, value.length);
      addAll(made, value);
    } else made.push(value);
  }
  if (made.length * 8 > evaluationLimits.valueBytes) throw new Stopped(stoppedBecause.memory);
  return made;
}
