import { AslFailure, statesErrors } from '../failure.ts';
import type { Json } from '../json.ts';
import { compileExpression, type Expression, type Scope } from './expression.ts';

/** A value of a definition in which strings may be `{% expressions %}`. */
export interface Template {
  /** Evaluates to JSON; yields a promise only where an expression is not plain. */
  evaluate(scope: Scope): Generator<Promise<unknown>, Json, unknown>;
  /** Present when the template holds no expression at all. */
  readonly constant?: Json;
}

const delimited = /^\{%(.*)%\}$/s;

/** The expression inside a string of a definition, if it is one. */
export function expressionIn(text: string): string | undefined {
  return delimited.exec(text)?.[1]?.trim();
}

function* evaluateExpression(
  expression: Expression,
  scope: Scope,
): Generator<Promise<unknown>, Json, unknown> {
  const value = expression.evaluate(scope);
  return (value instanceof Promise ? yield value : value) as Json;
}

function constantOf(value: Json): Template {
  return {
    constant: value,
    // biome-ignore lint/correctness/useYield: a constant never waits, but shares the interface
    *evaluate() {
      return value;
    },
  };
}

function compileList(values: readonly Json[], at: string, faults: TemplateFault[]): Template {
  const parts = values.map((value, index) => compileTemplate(value, `${at}[${index}]`, faults));
  if (parts.every((part) => part.constant !== undefined)) return constantOf(values);
  return {
    *evaluate(scope) {
      const made: Json[] = [];
      for (const part of parts) made.push(yield* part.evaluate(scope));
      return made;
    },
  };
}

function compileRecord(
  value: { readonly [key: string]: Json },
  at: string,
  faults: TemplateFault[],
): Template {
  const parts = Object.entries(value).map(
    ([key, each]) => [key, compileTemplate(each, `${at}.${key}`, faults)] as const,
  );
  if (parts.every(([, part]) => part.constant !== undefined)) return constantOf(value);
  return {
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
export function compileTemplate(value: Json, at: string, faults: TemplateFault[]): Template {
  if (Array.isArray(value)) return compileList(value, at, faults);
  if (typeof value === 'object' && value !== null)
    return compileRecord(value as { readonly [key: string]: Json }, at, faults);
  const source = typeof value === 'string' ? expressionIn(value) : undefined;
  if (source === undefined) {
    if (typeof value === 'string' && (value.startsWith('{%') || value.endsWith('%}')))
      faults.push({ path: at, message: 'an expression begins with {% and ends with %}' });
    return constantOf(value as Json);
  }
  try {
    const expression = compileExpression(source);
    return { evaluate: (scope) => evaluateExpression(expression, scope) };
  } catch (error) {
    faults.push({ path: at, message: `invalid JSONata: ${(error as Error).message}` });
    return constantOf(null);
  }
}

/** Evaluates a template that must give a number within bounds (a count, seconds). */
export function* evaluateNumber(
  template: Template,
  scope: Scope,
  { field, min, max }: { readonly field: string; readonly min: number; readonly max: number },
): Generator<Promise<unknown>, number, unknown> {
  const value = yield* template.evaluate(scope);
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new AslFailure(
    statesErrors.query,
    `${field} must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}.`,
  );
}
