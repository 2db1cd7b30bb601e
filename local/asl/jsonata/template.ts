import { EvaluationFailure } from '../model/failure.ts';
import type { Json } from '../model/json.ts';
import { exceeds, textWeights } from '../model/measure.ts';
import { compileExpression, type Evaluated, type Expression, type Scope } from './expression.ts';
import type { Node } from './syntax-tree.ts';

/** A value of a definition in which strings may be `{% expressions %}`. */
export interface Template {
  /** Evaluates to JSON; yields a promise only where an expression is not plain. */
  evaluate(scope: Scope): Generator<Promise<unknown>, Json, unknown>;
  /** Present when the template holds no expression at all. */
  readonly constant?: Json;
  /** The field it is in, as failures name it: `Output/results[0]`. */
  readonly location: string;
  /** The expression, where the whole template is one. */
  readonly source?: string;
}

/** Where a value of a definition stands: for faults when loading, and for failures when running. */
export interface Place {
  readonly path: string;
  readonly location: string;
  /** What is wrong with an expression there, beside its syntax. */
  readonly check?: (tree: Node) => readonly string[];
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
  const begun = expression.evaluate(scope);
  const evaluated = (begun instanceof Promise ? yield begun : begun) as Evaluated;
  if (evaluated.kind === 'value') return evaluated.value as Json;
  throw new EvaluationFailure(`${subjectOf(expression.source, location)} ${reasonOf(evaluated)}`, location);
}

/** How the service begins the cause of an evaluation's failure. */
function subjectOf(source: string, location: string): string {
  return `The JSONata expression '${source}' specified for the field '${location}'`;
}

function reasonOf(evaluated: Exclude<Evaluated, { kind: 'value' }>): string {
  if (evaluated.kind === 'nothing') return 'returned nothing (undefined).';
  if (evaluated.kind === 'unsupported') return 'returned an unsupported result type.';
  const { code, message } = evaluated;
  return code === undefined
    ? `threw an error during evaluation: ${message}`
    : `threw an error during evaluation. ${code}: ${message}`;
}

/** Type of a JSON value as the service names it. */
function typeOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Longest value that a cause shows, in characters. */
const longestShown = 4_000;

function shown(value: Json): string {
  return exceeds(value, longestShown, textWeights) ? '(too long to be shown)' : JSON.stringify(value);
}

/** The failure of a template that gave a value which its field does not take. */
export function wrongType(
  { source, location }: Pick<Template, 'source' | 'location'>,
  expected: string,
  value: Json,
): EvaluationFailure {
  const subject = source === undefined ? `The field '${location}'` : subjectOf(source, location);
  return new EvaluationFailure(
    `${subject} returned an unexpected result type. Expected '${expected}', but was '${typeOf(value)}' for value: ${shown(value)}`,
    location,
  );
}

/** The failure of a template whose value has the right type, and is out of bounds. */
function wrongValue({ source, location }: Template, rule: string, value: Json): EvaluationFailure {
  const subject = source === undefined ? `The field '${location}'` : subjectOf(source, location);
  return new EvaluationFailure(
    `${subject} returned a value that is not allowed: it must be ${rule}, not ${shown(value)}`,
    location,
  );
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

function compileList(
  values: readonly Json[],
  { path, location, ...rest }: Place,
  faults: TemplateFault[],
): Template {
  const parts = values.map((value, index) =>
    compileTemplate(value, { ...rest, path: `${path}[${index}]`, location: `${location}[${index}]` }, faults),
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

/** How a property is that was assigned; that name alone cannot be. */
const ordinary = { enumerable: true, configurable: true, writable: true } as const;

function compileRecord(
  value: { readonly [key: string]: Json },
  { path, location, ...rest }: Place,
  faults: TemplateFault[],
): Template {
  const parts = Object.entries(value).map(
    ([key, each]) =>
      [
        key,
        compileTemplate(each, { ...rest, path: `${path}.${key}`, location: `${location}/${key}` }, faults),
      ] as const,
  );
  if (parts.every(([, part]) => part.constant !== undefined)) return constantOf(value, location);
  return {
    location,
    *evaluate(scope) {
      const made: Record<string, Json> = {};
      for (const [key, part] of parts) {
        const each = part.constant ?? (yield* part.evaluate(scope));
        if (key === '__proto__') Object.defineProperty(made, key, { value: each, ...ordinary });
        else made[key] = each;
      }
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
    for (const message of place.check?.(expression.tree) ?? []) faults.push({ path, message });
    return { location, source, evaluate: (scope) => evaluateExpression(expression, scope, location) };
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
  bounds: Bounds,
): Generator<Promise<unknown>, number, unknown> {
  const value = yield* template.evaluate(scope);
  if (isWithin(value, bounds)) return value;
  if (typeof value !== 'number') throw wrongType(template, 'number', value);
  const { min, max, whole = true } = bounds;
  throw wrongValue(template, `a ${whole ? 'whole ' : ''}number from ${min} to ${max}`, value);
}
