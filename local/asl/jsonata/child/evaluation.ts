import { createHash } from 'node:crypto';
import type jsonata from 'jsonata';
import { exceeds, expressionWeights } from '../../model/measure.ts';
import { evaluationLimits, Stopped, stoppedBecause } from '../limits.ts';
import type { Evaluation, EvaluationResult } from '../protocol.ts';
import { Count, chargeCall, checkSize, distinct } from './charges.ts';
import { loadLibrary } from './library.ts';
import { serviceFunctions } from './service-functions.ts';

/** A function of the library, as it keeps it in its environment. */
interface LibraryFunction {
  readonly implementation: (this: unknown, ...args: unknown[]) => unknown;
}

/** The library calls what is bound to these names before and after each node it visits. */
const entered = Symbol.for('jsonata.__evaluate_entry') as unknown as string;
const left = Symbol.for('jsonata.__evaluate_exit') as unknown as string;

const builtIns =
  'sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match contains replace split join formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt power boolean not map zip filter single reduce sift keys lookup append exists spread merge reverse each error assert type sort shuffle base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl toMillis fromMillis clone'.split(
    ' ',
  );

/** Parsed expressions that are kept. */
const mostParsed = 2_000;

/** Numbers and UUIDs from a seed: what an evaluation draws does not depend on the process it runs in. */
function chanceFrom(seed: string) {
  let drawn = 0;
  const draw = () => {
    drawn += 1;
    return createHash('sha256').update(`${seed}.${drawn}`).digest();
  };
  return {
    random: () => draw().readUIntBE(0, 6) / 2 ** 48,
    uuid: () => {
      const bytes = draw().subarray(0, 16);
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const hex = bytes.toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
}

/** A function among a result is no JSON. */
class Unsupported extends Error {}

function toJson(_key: string, value: unknown): unknown {
  // As on the service: a number that JSON cannot hold is written by its name.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  const { _jsonata_function: own, _jsonata_lambda: lambda } = (value ?? {}) as Record<string, unknown>;
  if (typeof value === 'function' || own || lambda) throw new Unsupported();
  return value;
}

/** Evaluates expressions one at a time, each within its limits, at the time and with the chance it is given. */
export class Evaluator {
  readonly #library = loadLibrary();
  readonly #parsed = new Map<string, jsonata.Expression>();
  readonly #originals = new Map<string, LibraryFunction>();
  #count = new Count();
  #chance = chanceFrom('');
  #now = 0;

  private constructor() {}

  /** An evaluator with its library loaded; it takes over `Date` and `Math.random` of this process. */
  static async create(): Promise<Evaluator> {
    const evaluator = new Evaluator();
    for (const name of builtIns) {
      const found = (await evaluator.#library(`$${name}`).evaluate(undefined)) as LibraryFunction | undefined;
      if (!found?.implementation) throw new Error(`The JSONata library has no function ${name}.`);
      evaluator.#originals.set(name, found);
    }
    evaluator.#takeOver();
    return evaluator;
  }

  #takeOver(): void {
    const now = () => this.#now;
    const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...given: ConstructorParameters<typeof RealDate> | []) {
        if (given.length === 0) super(now());
        else super(...given);
      }
      static override now() {
        return now();
      }
    } as DateConstructor;
    Math.random = () => this.#chance.random();
  }

  #parse(source: string): jsonata.Expression {
    const known = this.#parsed.get(source);
    if (known) return known;
    const expression = this.#library(source);
    expression.assign(entered, () => this.#count.enter());
    expression.assign(left, (_node: unknown, _input: unknown, _environment: unknown, result: unknown) =>
      this.#count.leave(result),
    );
    for (const [name, original] of this.#originals) expression.assign(name, this.#counted(name, original));
    expression.registerFunction('distinct', (list: unknown) => distinct(this.#count, list), '<x:x>');
    const chance = { random: () => this.#chance.random(), uuid: () => this.#chance.uuid() };
    for (const { name, implementation, signature } of serviceFunctions(chance))
      expression.registerFunction(name, implementation as never, signature);
    if (this.#parsed.size >= mostParsed) this.#parsed.clear();
    this.#parsed.set(source, expression);
    return expression;
  }

  #counted(name: string, original: LibraryFunction): LibraryFunction {
    const count = () => this.#count;
    return {
      ...original,
      implementation(...args: unknown[]) {
        chargeCall(count(), name, args);
        const result = original.implementation.apply(this, args);
        checkSize(result);
        return result;
      },
    };
  }

  /** The outcome of one evaluation; never throws. */
  async evaluate({ source, bindings, now, seed }: Evaluation): Promise<EvaluationResult> {
    this.#count = new Count();
    this.#chance = chanceFrom(seed);
    this.#now = now;
    try {
      const value: unknown = await this.#parse(source).evaluate(undefined, JSON.parse(bindings));
      if (value === undefined) return { kind: 'nothing' };
      if (exceeds(value, evaluationLimits.valueBytes, expressionWeights))
        throw new Stopped(stoppedBecause.memory);
      const text = JSON.stringify(value, toJson) as string | undefined;
      return text === undefined ? { kind: 'unsupported' } : { kind: 'value', text };
    } catch (error) {
      return failed(error);
    }
  }
}

function failed(error: unknown): EvaluationResult {
  if (error instanceof Unsupported) return { kind: 'unsupported' };
  // The call stack of the process is deeper than the limit: only what is made of a value's depth can exhaust it.
  if (error instanceof RangeError && /call stack/.test(error.message))
    return { kind: 'failed', message: stoppedBecause.depth };
  if (error instanceof RangeError && /(string|array) length/.test(error.message))
    return { kind: 'failed', message: stoppedBecause.memory };
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(error);
  return typeof code === 'string'
    ? { kind: 'failed', code, message: text }
    : { kind: 'failed', message: text };
}
