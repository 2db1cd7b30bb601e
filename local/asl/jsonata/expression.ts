import jsonata from 'jsonata';
import { exceeds, expressionWeights } from '../model/measure.ts';
import { evaluationLimits, Stopped, stoppedBecause } from './limits.ts';
import { compilePlain, notPlain, type PlainScope } from './plain-expression.ts';
import type { Evaluation, EvaluationResult } from './protocol.ts';
import { type Names, type Node, namesIn } from './syntax-tree.ts';

/** What an evaluation may see. */
export interface Scope extends PlainScope {
  /** Evaluates what is not plain, in another process. */
  evaluate(evaluation: Evaluation): Promise<EvaluationResult>;
}

/** How an evaluation ended; a value here is JSON already. */
export type Evaluated =
  | { readonly kind: 'value'; readonly value: unknown }
  | Exclude<EvaluationResult, { kind: 'value' }>;

/** A compiled expression; evaluates at once where it is plain, otherwise to a promise. */
export interface Expression {
  readonly source: string;
  readonly tree: Node;
  evaluate(scope: Scope): Evaluated | Promise<Evaluated>;
}

/** The variables an expression names, as JSON text; of `$states` only what it reads. */
function bindingsOf({ variables, statesFields }: Names, scope: Scope): string {
  const bound: [string, unknown][] = [];
  for (const name of variables) {
    const value = scope.lookup(name);
    if (value === undefined) continue;
    const fields = name === 'states' ? statesFields : undefined;
    bound.push([name, fields ? pick(value as Readonly<Record<string, unknown>>, fields) : value]);
  }
  return JSON.stringify(Object.fromEntries(bound));
}

function pick(value: Readonly<Record<string, unknown>>, fields: ReadonlySet<string>): unknown {
  const picked = [...fields].filter((field) => Object.hasOwn(value, field));
  return Object.fromEntries(picked.map((field) => [field, value[field]]));
}

async function evaluateElsewhere(source: string, names: Names, scope: Scope): Promise<Evaluated> {
  const draws = ['random', 'uuid', 'shuffle'].some((name) => names.variables.has(name));
  const result = await scope.evaluate({
    source,
    bindings: bindingsOf(names, scope),
    now: scope.now(),
    seed: draws ? `${scope.uuid()}.${scope.random()}` : '',
  });
  return result.kind === 'value' ? { kind: 'value', value: JSON.parse(result.text) as unknown } : result;
}

/** `makes`: the expression makes lists or objects, whose parts may be shared and count each time. */
function settled(value: unknown, makes: boolean): Evaluated {
  if (value === undefined) return { kind: 'nothing' };
  if (makes && exceeds(value, evaluationLimits.valueBytes, expressionWeights))
    return { kind: 'failed', message: stoppedBecause.memory };
  return { kind: 'value', value };
}

function isMaking(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (value as Node).type === 'unary' || Object.values(value).some(isMaking);
}

/** Parses one expression; throws the library's error, whose message says what is wrong. */
function parseExpression(source: string): Node {
  try {
    return jsonata(source).ast() as unknown as Node;
  } catch (error) {
    if (error instanceof RangeError) throw new Error('it is nested too deeply to be read');
    throw error;
  }
}

/** Functions of JSONata that Step Functions takes away. */
const unavailable: ReadonlySet<string> = new Set(['eval']);

/** Compiles one `{% ... %}` expression; throws a plain Error with the library's message when it does not parse. */
export function compileExpression(source: string): Expression {
  const tree = parseExpression(source);
  const names = namesIn(tree);
  for (const name of names.variables)
    if (unavailable.has(name)) throw new Error(`$${name} is not available in a state machine`);
  const makes = isMaking(tree);
  const plain = compilePlain(tree, evaluationLimits.depth);
  if (!plain) return { source, tree, evaluate: (scope) => evaluateElsewhere(source, names, scope) };
  return {
    source,
    tree,
    evaluate: (scope) => {
      try {
        return settled(plain(scope), makes);
      } catch (error) {
        if (error === notPlain) return evaluateElsewhere(source, names, scope);
        if (error instanceof Stopped) return { kind: 'failed', message: error.message };
        throw error;
      }
    },
  };
}
