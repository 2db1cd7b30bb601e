import { AslFailure, statesErrors } from '../model/failure.ts';
import type { Json } from '../model/json.ts';
import { compileExpression, type Expression, type Scope } from './expression.ts';

/** A value of a definition in which strings may be `{% expressions %}`. */
export interface Template {
  /** Evaluates to JSON; yields a promise only where an expression is not plain. */
  evaluate(scope: Scope): Generator<Promise<unknown>, Json, unknown>;
  /** Present when the template holds no expression at all. */
  readonly constant?: Json;
  /** The field it stands in, as failures name it: `Output/result`. */
  readonly location: string;
}

/** Where a value of a definition stands: for faults when loading, and for failures when running. */
export interface Place {
  readonly path: string;
  readonly location: string;
}

const delimited = /^\{%(.*)%\}$/s;

/** The expression inside a string of a definition, if it is one. */
export function expressionIn(text: string): string | undefined {
  return delimited.exec(text)?.[1]?.trim();
}

function* evaluateExpression(
  expression: Expression,
  scope: Scope,
  location: string,
): Generator<Promise<unknown>, Json, unknown> {
  try {
    const value = expression.evaluate(scope);
    return (value instanceof Promise ? yield value : value) as Json;
  } catch (error) {
    throw error instanceof AslFailure ? new AslFailure(error.error, error.reason, location) : error;
  }
}

function constantOf(value: Json, location: string): Template {
  return {
    constant: value,
    location,
    // biome-ignore lint/correctness/useYield: a constant never waits, but shares the interface
    *evaluate() {
      return value;
    },
  };
}

function compileList(values: readonly Json[], { path, location }: Place, faults: TemplateFault[]): Template {
  const parts = values.map((value, index) =>
    compileTemplate(value, { path: `${path}[${index}]`, location: `${location}/${index}` }, faults),
  );
  if (parts.every((part) => part.constant !== undefined)) return constantOf(values, location);
  return {
    location,
    *evaluate(scope) {
      const made: Json[] = [];
      for (const part of parts) made.push(yield* part.evaluate(scope));
      return made;
    },
  };
}

function compileRecord(
  value: { readonly [key: string]: Json },
  { path, location }: Place,
  faults: TemplateFault[],
): Template {
  const parts = Object.entries(value).map(
    ([key, each]) =>
      [
        key,
        compileTemplate(each, { path: `${path}.${key}`, location: `${location}/${key}` }, faults),
      ] as const,
  );
  if (parts.every(([, part]) => part.constant !== undefined)) return constantOf(value, location);
  return {
    location,
    *evaluate(scope) {
      const made: Record<string, Json> = {};
      for (const [key, part] of parts) made[key] = part.constant ?? (yield* part.evaluate(scope));
      return made;
    },
  };
}

/** Where and why an expression does not compile. */
export interface TemplateFault {
  readonly path: string;
  readonly message: string;
}

/** Compiles a value of a definition; expressions that do not parse are added to `faults`. */
export function compileTemplate(value: Json, place: Place, faults: TemplateFault[]): Template {
  const { path, location } = place;
  if (Array.isArray(value)) return compileList(value, place, faults);
  if (typeof value === 'object' && value !== null)
    return compileRecord(value as { readonly [key: string]: Json }, place, faults);
  const source = typeof value === 'string' ? expressionIn(value) : undefined;
  if (source === undefined) {
    if (typeof value === 'string' && (value.startsWith('{%') || value.endsWith('%}')))
      faults.push({ path, message: 'an expression begins with {% and ends with %}' });
    return constantOf(value as Json, location);
  }
  try {
    const expression = compileExpression(source);
    return { location, evaluate: (scope) => evaluateExpression(expression, scope, location) };
  } catch (error) {
    faults.push({ path, message: `invalid JSONata: ${(error as Error).message}` });
    return constantOf(null, location);
  }
}

/** Bounds of a number, both included; `whole` is the rule. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

/** Whether a value is a number within bounds. */
export function isWithin(value: unknown, { min, max, whole = true }: Bounds): value is number {
  return typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));
}

/** Evaluates a template that must give a number within bounds (a count, seconds). */
export function* evaluateNumber(
  template: Template,
  scope: Scope,
  { field, ...bounds }: Bounds & { readonly field: string },
): Generator<Promise<unknown>, number, unknown> {
  const value = yield* template.evaluate(scope);
  if (isWithin(value, bounds)) return value;
  const { min, max, whole = true } = bounds;
  throw new AslFailure(
    statesErrors.query,
    `${field} must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}, not ${JSON.stringify(value)}.`,
    template.location,
  );
}
