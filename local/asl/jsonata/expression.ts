import { createHash } from 'node:crypto';
import jsonata from 'jsonata';
import type { Random } from '../../../lib/ports/random.ts';
import { AslFailure, statesErrors } from '../model/failure.ts';
import { compilePlain, type Lookup, type Node, notPlain, type Plain } from './fast.ts';

/** What an evaluation may see. */
export interface Scope {
  readonly lookup: Lookup;
  /** Milliseconds since the Unix epoch, for `$now` and `$millis`. */
  readonly now: () => number;
  readonly random: Random;
  /** A version 4 UUID. */
  readonly uuid: () => string;
}

/** A compiled expression; evaluates to a value at once where it is plain, otherwise to a promise. */
export interface Expression {
  readonly source: string;
  evaluate(scope: Scope): unknown;
}

/** Functions of JSONata that Step Functions takes away, with the reason. */
const refused: ReadonlySet<string> = new Set(['eval']);

function usesRefused(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const { type, value } = node as Node;
  // Also where it is only named, to be called by another name.
  if (type === 'variable' && refused.has(String(value))) return String(value);
  for (const child of Object.values(node)) {
    const found = usesRefused(child);
    if (found) return found;
  }
  return undefined;
}

function partition(items: unknown, size: unknown): unknown[][] | undefined {
  if (items === undefined) return undefined;
  const list = Array.isArray(items) ? items : [items];
  const width = Number(size);
  if (!Number.isInteger(width) || width < 1) throw new Error('$partition needs a positive whole chunk size');
  return Array.from({ length: Math.ceil(list.length / width) }, (_, index) =>
    list.slice(index * width, (index + 1) * width),
  );
}

/** As on the service the result is a sequence of JSONata: one of a single number is that number. */
function range(first: unknown, last: unknown, step: unknown): number[] {
  const bounds = [first, last, step];
  const [from, to, by] = bounds as [number, number, number];
  if (!bounds.every((bound) => typeof bound === 'number' && Number.isFinite(bound)) || by === 0)
    throw new Error('$range needs two numbers and a step that is not 0');
  const length = Math.floor((to - from) / by) + 1;
  if (length > 1000) throw new Error('$range makes at most 1,000 items');
  const made = Array.from({ length: Math.max(0, length) }, (_, index) => from + index * by);
  return Object.defineProperty(made, 'sequence', { value: true });
}

const hashes: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

function hash(text: unknown, algorithm: unknown): string | undefined {
  if (text === undefined) return undefined;
  if (typeof text !== 'string') throw new Error('$hash takes text; $string makes it of other values');
  const name = hashes[String(algorithm)];
  if (!name) throw new Error(`$hash knows ${Object.keys(hashes).join(', ')}, not ${String(algorithm)}`);
  return createHash(name).update(text).digest('hex');
}

function parseText(text: unknown): unknown {
  if (text === undefined) return undefined;
  if (typeof text !== 'string') throw new Error('$parse takes text');
  return JSON.parse(text) as unknown;
}

/** Marsaglia-free seeding is not promised by the service; a seed only makes one evaluation repeatable. */
function seeded(seed: number): number {
  const digest = createHash('sha256').update(String(seed)).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

/** Nodes of its tree that one evaluation may visit, and how deep: an expression without end must not stop the process. */
const mostVisits = 1_000_000;
const deepestNesting = 2_000;

/** The library calls what is bound to this name before every node it visits. */
const visiting = Symbol.for('jsonata.__evaluate_entry') as unknown as string;

/** Where an evaluation counts its visits; no expression can name it. */
const counting = ' visits';

type Environment = { lookup(name: string): unknown };

function countVisit(_node: unknown, _input: unknown, environment: Environment): void {
  const counter = environment.lookup(counting) as { visits: number };
  counter.visits += 1;
  if (counter.visits > mostVisits) throw new Error(`it takes more than ${mostVisits} steps`);
}

/** Parses an expression; Step Functions' own functions are there beside JSONata's. */
function parse(source: string): jsonata.Expression {
  const expression = jsonata(source, { stack: deepestNesting });
  expression.registerFunction('partition', partition);
  expression.registerFunction('range', range);
  expression.registerFunction('hash', hash);
  expression.registerFunction('parse', parseText);
  expression.assign(visiting, countVisit);
  return expression;
}

/** The time as `$now` writes it: with a picture, the library's own `$fromMillis` does. */
async function written(at: number, picture?: string, timezone?: string): Promise<unknown> {
  if (picture === undefined) return new Date(at).toISOString();
  const zone = timezone === undefined ? '' : ', $timezone';
  return (await jsonata(`$fromMillis($at, $picture${zone})`).evaluate(undefined, {
    at,
    picture,
    timezone,
  })) as unknown;
}

/** What belongs to one evaluation: time and chance from the engine's parameters, and its count of visits. */
function ownBindings(scope: Scope): Record<string, unknown> {
  return {
    [counting]: { visits: 0 },
    random: (seed?: number) => (seed === undefined ? scope.random() : seeded(seed)),
    uuid: () => scope.uuid(),
    millis: () => scope.now(),
    now: (picture?: string, timezone?: string) => written(scope.now(), picture, timezone),
  };
}

/** Variables an expression names: what is bound for the library. */
function variablesIn(node: unknown, found = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return found;
  const { type, value } = node as Node;
  if (type === 'variable' && typeof value === 'string') found.add(value);
  for (const child of Object.values(node)) variablesIn(child, found);
  return found;
}

/** What JSON cannot hold is refused instead of becoming null or vanishing. */
function onlyJson(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('a number is out of range');
  const { _jsonata_function: own, _jsonata_lambda: lambda } = (value ?? {}) as Record<string, unknown>;
  if (typeof value === 'function' || own || lambda) throw new Error('it returned a function');
  return value;
}

/** Copies away the library's marks on arrays, so that only JSON leaves an evaluation. */
function clean(value: unknown): unknown {
  const text = JSON.stringify(value, onlyJson) as string | undefined;
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

function failed(source: string, error: unknown): AslFailure {
  const message = (error as { message?: string } | null)?.message ?? String(error);
  return new AslFailure(
    statesErrors.query,
    `The JSONata expression '${source}' could not be evaluated: ${message}`,
  );
}

function checked(source: string, value: unknown): unknown {
  if (value === undefined) {
    throw new AslFailure(
      statesErrors.query,
      `The JSONata expression '${source}' returned nothing (undefined).`,
    );
  }
  return value;
}

/** Evaluates an expression that is not plain. Evaluations of one expression may overlap: each has bindings of its own. */
function slowEvaluation(
  source: string,
  expression: jsonata.Expression,
  tree: Node,
): (scope: Scope) => Promise<unknown> {
  const names = [...variablesIn(tree)].filter((name) => name !== '' && name !== '$');
  return async (scope) => {
    const bindings = ownBindings(scope);
    for (const name of names) {
      const value = scope.lookup(name);
      if (value !== undefined) bindings[name] = value;
    }
    let value: unknown;
    try {
      value = clean(await expression.evaluate(undefined, bindings));
    } catch (error) {
      throw failed(source, error);
    }
    return checked(source, value);
  };
}

/** Compiles one `{% ... %}` expression; throws a plain Error with the library's message when it does not parse. */
export function compileExpression(source: string): Expression {
  const expression = parse(source);
  const tree = expression.ast() as unknown as Node;
  const bad = usesRefused(tree);
  if (bad) throw new Error(`$${bad} is not available in a state machine`);
  const plain: Plain | undefined = compilePlain(tree);
  const slow = slowEvaluation(source, expression, tree);
  if (!plain) return { source, evaluate: slow };
  return {
    source,
    evaluate: (scope) => {
      let value: unknown;
      try {
        value = plain(undefined, scope.lookup);
      } catch (error) {
        if (error === notPlain) return slow(scope);
        throw failed(source, error);
      }
      return checked(source, value);
    },
  };
}
