/**
 * Synchronous evaluation of plain JSONata in this process: paths, `&`, comparisons, arithmetic, constructors, conditions
 * and a few functions. Its cost is bounded by its length and its budget. It follows the library's rules for sequences.
 * What is not plain is either not compiled (`undefined`) or given up at run time (`notPlain`); the library evaluates
 * it then, in a process of its own.
 */
import {
  asBoolean,
  asText,
  collect,
  computed,
  lookUp,
  notPlain,
  operators,
  type PlainScope,
  spend,
  walk,
} from './plain-values.ts';
import type { Node } from './syntax-tree.ts';

export { notPlain, type PlainScope } from './plain-values.ts';

/** A compiled plain expression. */
export type Plain = (scope: PlainScope) => unknown;

/** What makes a step more than a name. */
const decorations = ['predicate', 'stages', 'group', 'focus', 'index', 'ancestor', 'tuple'];

const isBare = (node: Node) => !decorations.some((key) => node[key]);

/** Names the library's own objects inherit: what they give there is left to it. */
const inherited: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** The common case, an object path without lists, without allocating anything. */
function compilePath(node: Node): Plain | undefined {
  if (node['keepSingletonArray'] || node['tuple'] || node['group']) return undefined;
  const [first, ...rest] = node.steps ?? [];
  const head = first && isBare(first) ? compileVariable(first) : undefined;
  if (!head || !rest.every((step) => step.type === 'name' && isBare(step))) return undefined;
  const keys = rest.map((step) => String(step.value));
  if (keys.some((key) => inherited.has(key))) return undefined;
  return (scope) => {
    let value = head(scope);
    for (const key of keys) {
      if (Array.isArray(value)) return walk(head(scope), keys, scope);
      value = lookUp(value, key, scope);
      if (value === undefined) return undefined;
    }
    return value;
  };
}

function compileVariable(node: Node): Plain | undefined {
  if (node.type !== 'variable' || !isBare(node) || node.value === '' || node.value === '$') return undefined;
  const name = String(node.value);
  return (scope) => {
    const value = scope.lookup(name);
    // A name without a value may be a function of the library.
    if (value === undefined && name !== 'states') throw notPlain;
    return value;
  };
}

function compileBinary(node: Node): Plain | undefined {
  const left = compileNode(node.lhs as Node);
  const right = compileNode(node.rhs as Node);
  if (!left || !right) return undefined;
  if (node.value === 'and') return (scope) => asBoolean(left(scope)) && asBoolean(right(scope));
  if (node.value === 'or') return (scope) => asBoolean(left(scope)) || asBoolean(right(scope));
  const operate = operators[String(node.value)];
  if (!operate) return undefined;
  return (scope) => {
    const [first, second] = [left(scope), right(scope)];
    // Long texts cost what they are long.
    if (typeof first === 'string' && first.length > 1_000) spend(scope, first.length / 1_000);
    return operate(first, second);
  };
}

function compileAll(nodes: readonly Node[]): Plain[] | undefined {
  const compiled = nodes.map(compileNode);
  return compiled.includes(undefined) ? undefined : (compiled as Plain[]);
}

function compileObject(node: Node): Plain | undefined {
  const pairs = node.lhs as readonly (readonly [Node, Node])[];
  const values = compileAll(pairs.map(([, value]) => value));
  if (!values || pairs.some(([key]) => key.type !== 'string')) return undefined;
  const keys = pairs.map(([key]) => String(key.value));
  if (new Set(keys).size !== keys.length || keys.some((key) => inherited.has(key))) return undefined;
  return (scope) => {
    const made: Record<string, unknown> = {};
    keys.forEach((key, index) => {
      const value = values[index]?.(scope);
      if (value !== undefined) made[key] = value;
    });
    return made;
  };
}

function compileArray(node: Node): Plain | undefined {
  const nodes = node.expressions ?? [];
  const values = compileAll(nodes);
  if (!values) return undefined;
  const nested = nodes.map((each) => each.type === 'unary' && each.value === '[');
  return (scope) =>
    collect(
      values.map((evaluate) => evaluate(scope)),
      nested,
      scope,
    );
}

function compileUnary(node: Node): Plain | undefined {
  if (node.value === '{') return compileObject(node);
  if (node.value === '[')
    return node['consarray'] === undefined || node['consarray'] === true ? compileArray(node) : undefined;
  if (node.value !== '-') return undefined;
  const operand = compileNode(node.expression as Node);
  return operand && ((scope) => computed(0, operand(scope), (zero, value) => zero - value));
}

const ofOne: Readonly<Record<string, (value: unknown) => unknown>> = {
  exists: (value) => value !== undefined,
  count: (value) => (value === undefined ? 0 : Array.isArray(value) ? value.length : 1),
  not: (value) => (value === undefined ? undefined : !asBoolean(value)),
  string: (value) => (value === undefined ? undefined : asText(value)),
};

const ofNone: Readonly<Record<string, (scope: PlainScope) => unknown>> = {
  now: (scope) => new Date(scope.now()).toISOString(),
  millis: (scope) => scope.now(),
  random: (scope) => scope.random(),
  uuid: (scope) => scope.uuid(),
};

function compileCall(node: Node): Plain | undefined {
  const name = node.procedure?.type === 'variable' ? String(node.procedure.value) : '';
  const [only, ...more] = node.arguments ?? [];
  const one = only && more.length === 0 && Object.hasOwn(ofOne, name) ? ofOne[name] : undefined;
  const none = !only && Object.hasOwn(ofNone, name) ? ofNone[name] : undefined;
  const argument = only && compileNode(only);
  const call: Plain | undefined = none ?? (one && argument && ((scope) => one(argument(scope))));
  return (
    call &&
    ((scope) => {
      // A variable of the same name takes the function's place.
      if (scope.lookup(name) !== undefined) throw notPlain;
      return call(scope);
    })
  );
}

function compileCondition(node: Node): Plain | undefined {
  const condition = compileNode(node.condition as Node);
  const then = compileNode(node.then as Node);
  const otherwise = node.else ? compileNode(node.else) : () => undefined;
  if (!condition || !then || !otherwise) return undefined;
  return (scope) => (asBoolean(condition(scope)) ? then(scope) : otherwise(scope));
}

function compileNode(node: Node): Plain | undefined {
  if (['predicate', 'group', 'focus', 'index', 'ancestor', 'keepArray', 'thunk'].some((key) => node[key]))
    return undefined;
  switch (node.type) {
    case 'string':
    case 'number':
    case 'value':
      return () => node.value;
    case 'path':
      return compilePath(node);
    case 'variable':
      return compileVariable(node);
    case 'binary':
      return compileBinary(node);
    case 'unary':
      return compileUnary(node);
    case 'condition':
      return compileCondition(node);
    case 'function':
      return compileCall(node);
    case 'block': {
      const [only, ...more] = node.expressions ?? [];
      return only && more.length === 0 ? compileNode(only) : undefined;
    }
    default:
      return undefined;
  }
}

/** Whether nodes are nested deeper than a limit; an evaluation is as deep as its tree where nothing is called. */
function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (limit === 0 && !Array.isArray(value)) return true;
  const below = Array.isArray(value) ? limit : limit - 1;
  return Object.values(value).some((each) => isDeeper(each, below));
}

/** Compiles a plain expression's tree; undefined when the library has to evaluate it. */
export function compilePlain(tree: Node, depth: number): Plain | undefined {
  return isDeeper(tree, depth) ? undefined : compileNode(tree);
}
