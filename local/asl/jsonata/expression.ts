import { createHash } from 'node:crypto';
import jsonata from 'jsonata';
import type { Random } from '../../../lib/ports/id-source.ts';
import { AslFailure, statesErrors } from '../failure.ts';
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

function partition(items: unknown, size: unknown): unknown[][] {
  const list = Array.isArray(items) ? items : [items];
  const width = Number(size);
  if (!Number.isInteger(width) || width < 1) throw new Error('$partition needs a positive whole chunk size');
  return Array.from({ length: Math.ceil(list.length / width) }, (_, index) =>
    list.slice(index * width, (index + 1) * width),
  );
}

function range(first: unknown, last: unknown, step: unknown): number[] {
  const [from, to, by] = [Number(first), Number(last), Number(step)];
  const length = Math.floor((to - from) / by) + 1;
  if (by === 0 || !Number.isFinite(length)) throw new Error('$range needs a step that is not 0');
  if (length > 1000) throw new Error('$range makes at most 1,000 items');
  return Array.from({ length: Math.max(0, length) }, (_, index) => from + index * by);
}

const hashes: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

function hash(text: unknown, algorithm: unknown): string {
  const name = hashes[String(algorithm)];
  if (!name) throw new Error(`$hash knows ${Object.keys(hashes).join(', ')}, not ${String(algorithm)}`);
  return createHash(name).update(String(text)).digest('hex');
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

/** One parsed expression, used by one evaluation at a time: its functions see the scope of that evaluation. */
class Evaluator {
  readonly #expression: jsonata.Expression;
  #scope: Scope | undefined;
  #visits = 0;

  constructor(source: string) {
    this.#expression = jsonata(source, { stack: deepestNesting });
    this.#bind();
  }

  /** Evaluates with variables by name; whatever the library throws, and too long an evaluation, rejects. */
  async evaluate(scope: Scope, variables: Record<string, unknown>): Promise<unknown> {
    this.#scope = scope;
    this.#visits = 0;
    try {
      return (await this.#expression.evaluate(undefined, variables)) as unknown;
    } finally {
      this.#scope = undefined;
    }
  }

  #now(): number {
    return this.#scope?.now() ?? 0;
  }

  /** Step Functions' own functions beside JSONata's, and time and chance from the engine's parameters. */
  #bind(): void {
    const expression = this.#expression;
    expression.registerFunction('partition', partition);
    expression.registerFunction('range', range);
    expression.registerFunction('hash', hash);
    expression.registerFunction('random', (seed?: number) =>
      seed === undefined ? this.#scope?.random() : seeded(seed),
    );
    expression.registerFunction('uuid', () => this.#scope?.uuid());
    expression.registerFunction('parse', (text: string) => JSON.parse(text) as unknown);
    expression.registerFunction('millis', () => this.#now());
    expression.registerFunction('now', (picture?: string, timezone?: string) =>
      this.#written(picture, timezone),
    );
    expression.assign(visiting, () => {
      this.#visits += 1;
      if (this.#visits > mostVisits) throw new Error(`it takes more than ${mostVisits} steps`);
    });
  }

  /** The time as `$now` writes it: with a picture, the library's own `$fromMillis` does. */
  async #written(picture: string | undefined, timezone: string | undefined): Promise<unknown> {
    if (picture === undefined) return new Date(this.#now()).toISOString();
    const variables = { at: this.#now(), picture, timezone };
    const source =
      timezone === undefined ? '$fromMillis($at, $picture)' : '$fromMillis($at, $picture, $timezone)';
    return (await jsonata(source).evaluate(undefined, variables)) as unknown;
  }
}

/** Variables an expression names: what is bound for the library. */
function variablesIn(node: unknown, found = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return found;
  const { type, value } = node as Node;
  if (type === 'variable' && typeof value === 'string') found.add(value);
  for (const child of Object.values(node)) variablesIn(child, found);
  return found;
}

/** Copies away the library's marks on arrays, so that only JSON leaves an evaluation. */
function clean(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (JSON.parse(JSON.stringify(value)) as unknown) : value;
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
  if (typeof value === 'function')
    throw new AslFailure(statesErrors.query, `The JSONata expression '${source}' returned a function.`);
  return value;
}

/** Evaluators kept ready for an expression's next evaluations; parsing costs several times an evaluation. */
const mostIdle = 4;

/** Evaluates an expression that is not plain; evaluations of one expression may overlap. */
function slowEvaluation(source: string, tree: Node): (scope: Scope) => Promise<unknown> {
  const names = [...variablesIn(tree)].filter((name) => name !== '' && name !== '$');
  const idle: Evaluator[] = [];
  return async (scope) => {
    const variables = Object.fromEntries(
      names.map((name) => [name, scope.lookup(name)]).filter(([, value]) => value !== undefined),
    );
    const evaluator = idle.pop() ?? new Evaluator(source);
    let value: unknown;
    try {
      value = clean(await evaluator.evaluate(scope, variables));
    } catch (error) {
      throw failed(source, error);
    }
    if (idle.length < mostIdle) idle.push(evaluator);
    return checked(source, value);
  };
}

/** Compiles one `{% ... %}` expression; throws a plain Error with the library's message when it does not parse. */
export function compileExpression(source: string): Expression {
  const parsed = jsonata(source);
  const tree = parsed.ast() as unknown as Node;
  const bad = usesRefused(tree);
  if (bad) throw new Error(`$${bad} is not available in a state machine`);
  const plain: Plain | undefined = compilePlain(tree);
  const slow = slowEvaluation(source, tree);
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
