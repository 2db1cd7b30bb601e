/**
 * Synchronous evaluation of plain JSONata: paths, `&`, comparisons, arithmetic, constructors, conditions and a few
 * functions. It follows the reference implementation's rules for sequences. Whatever is not plain is either not
 * compiled (`undefined`) or given up at run time (`notPlain`), and the library evaluates the expression instead.
 */

/** Looks a `$variable` up; undefined when it has no value. */
export type Lookup = (name: string) => unknown;

/** A compiled plain expression. */
export type Plain = (item: unknown, lookup: Lookup) => unknown;

/** Thrown where the values are not plain; the caller falls back to the library. */
export const notPlain = Symbol('not plain');

/** The part of the library's syntax tree that is read here. */
export interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly steps?: readonly Node[];
  readonly lhs?: Node | readonly (readonly Node[])[];
  readonly rhs?: Node;
  readonly expressions?: readonly Node[];
  readonly expression?: Node;
  readonly condition?: Node;
  readonly then?: Node;
  readonly else?: Node;
  readonly procedure?: Node;
  readonly arguments?: readonly Node[];
  readonly [other: string]: unknown;
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

function lookUp(item: unknown, key: string): unknown {
  if (Array.isArray(item)) {
    const found: unknown[] = [];
    for (const element of item) {
      const value = lookUp(element, key);
      if (Array.isArray(value)) found.push(...value);
      else if (value !== undefined) found.push(value);
    }
    return sequence(found);
  }
  if (typeof item !== 'object' || item === null || !Object.hasOwn(item, key)) return undefined;
  return (item as Record<string, unknown>)[key];
}

function walk(steps: readonly Plain[], item: unknown, lookup: Lookup): unknown {
  let items: unknown[] = [item];
  for (let index = 0; index < steps.length; index += 1) {
    const step = steps[index] as Plain;
    const results: unknown[] = [];
    for (const each of items) {
      const value = unwrap(step(each, lookup));
      if (value !== undefined) results.push(value);
    }
    const only = results[0];
    if (index === steps.length - 1 && results.length === 1 && Array.isArray(only) && !sequences.has(only))
      return only;
    items = results.some(Array.isArray) ? results.flat() : results;
    if (items.length === 0) return undefined;
  }
  return items.length === 1 ? items[0] : items;
}

/** The common case, an object path without arrays, without allocating anything. */
function compilePath(node: Node): Plain | undefined {
  if (node['keepSingletonArray'] || node['tuple'] || node['group']) return undefined;
  const [first, ...rest] = node.steps ?? [];
  if (!first) return undefined;
  const head = compileStep(first, true);
  const names = rest.map((step) => (isPlainName(step) ? String(step.value) : undefined));
  if (!head || names.includes(undefined)) return undefined;
  const keys = names as string[];
  const steps: Plain[] = [
    head,
    ...keys.map(
      (key): Plain =>
        (item) =>
          lookUp(item, key),
    ),
  ];
  return (item, lookup) => {
    let value = head(item, lookup);
    for (const key of keys) {
      if (Array.isArray(value)) return walk(steps, item, lookup);
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
      value = (value as Record<string, unknown>)[key];
    }
    return value;
  };
}

function isPlainName(node: Node): boolean {
  return (
    node.type === 'name' &&
    !['predicate', 'stages', 'group', 'focus', 'index', 'ancestor', 'tuple'].some((key) => node[key])
  );
}

function compileStep(node: Node, isFirst: boolean): Plain | undefined {
  if (['predicate', 'stages', 'group', 'focus', 'index', 'ancestor', 'tuple'].some((key) => node[key]))
    return undefined;
  if (node.type === 'variable' && node.value !== '' && node.value !== '$' && isFirst) {
    const name = String(node.value);
    return (_, lookup) => {
      const value = lookup(name);
      // A name without a value may be a function of the library.
      if (value === undefined && name !== 'states') throw notPlain;
      return value;
    };
  }
  return undefined;
}

function asText(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value)))
    return String(value);
  throw notPlain;
}

function asBoolean(value: unknown): boolean {
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

function ordered(
  left: unknown,
  right: unknown,
  compare: (a: number | string, b: number | string) => boolean,
): unknown {
  const fit = typeof left === typeof right && (typeof left === 'number' || typeof left === 'string');
  if (!fit) throw notPlain;
  return compare(left as number, right as number);
}

function computed(left: unknown, right: unknown, compute: (a: number, b: number) => number): unknown {
  if (typeof left !== 'number' || typeof right !== 'number') throw notPlain;
  const result = compute(left, right);
  if (!Number.isFinite(result)) throw notPlain;
  return result;
}

const operators: Readonly<Record<string, (left: unknown, right: unknown) => unknown>> = {
  '&': (left, right) => asText(left) + asText(right),
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

function compileBinary(node: Node): Plain | undefined {
  const left = compilePlain(node.lhs as Node);
  const right = compilePlain(node.rhs as Node);
  if (!left || !right) return undefined;
  if (node.value === 'and')
    return (item, lookup) => asBoolean(left(item, lookup)) && asBoolean(right(item, lookup));
  if (node.value === 'or')
    return (item, lookup) => asBoolean(left(item, lookup)) || asBoolean(right(item, lookup));
  const operate = operators[String(node.value)];
  if (!operate) return undefined;
  if (node.value === '!=' || node.value === '=' || node.value === '&') {
    return (item, lookup) => operate(left(item, lookup), right(item, lookup));
  }
  return (item, lookup) => operate(left(item, lookup), right(item, lookup));
}

function compileAll(nodes: readonly Node[]): Plain[] | undefined {
  const compiled = nodes.map(compilePlain);
  return compiled.includes(undefined) ? undefined : (compiled as Plain[]);
}

function compileObject(node: Node): Plain | undefined {
  const pairs = node.lhs as readonly (readonly [Node, Node])[];
  const values = compileAll(pairs.map(([, value]) => value));
  if (!values || pairs.some(([key]) => key.type !== 'string')) return undefined;
  const keys = pairs.map(([key]) => String(key.value));
  if (new Set(keys).size !== keys.length) return undefined;
  return (item, lookup) => {
    const made: Record<string, unknown> = {};
    keys.forEach((key, index) => {
      const value = values[index]?.(item, lookup);
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
  return (item, lookup) => {
    const made: unknown[] = [];
    values.forEach((evaluate, index) => {
      const value = evaluate(item, lookup);
      if (value === undefined) return;
      if (Array.isArray(value) && !nested[index]) made.push(...value);
      else made.push(value);
    });
    return made;
  };
}

function compileUnary(node: Node): Plain | undefined {
  if (node.value === '{') return compileObject(node);
  if (node.value === '[')
    return node['consarray'] === undefined || node['consarray'] === true ? compileArray(node) : undefined;
  if (node.value !== '-') return undefined;
  const operand = compilePlain(node.expression as Node);
  return operand && ((item, lookup) => computed(0, operand(item, lookup), (zero, value) => zero - value));
}

const functions: Readonly<Record<string, (value: unknown) => unknown>> = {
  exists: (value) => value !== undefined,
  count: (value) => (value === undefined ? 0 : Array.isArray(value) ? value.length : 1),
  not: (value) => (value === undefined ? undefined : !asBoolean(value)),
};

function compileCall(node: Node): Plain | undefined {
  const name = node.procedure?.type === 'variable' ? String(node.procedure.value) : '';
  const call = Object.hasOwn(functions, name) ? functions[name] : undefined;
  const [only, ...more] = node.arguments ?? [];
  const argument = only && more.length === 0 ? compilePlain(only) : undefined;
  return call && argument && ((item, lookup) => call(argument(item, lookup)));
}

function compileCondition(node: Node): Plain | undefined {
  const condition = compilePlain(node.condition as Node);
  const then = compilePlain(node.then as Node);
  const otherwise = node.else ? compilePlain(node.else) : () => undefined;
  if (!condition || !then || !otherwise) return undefined;
  return (item, lookup) =>
    asBoolean(condition(item, lookup)) ? then(item, lookup) : otherwise(item, lookup);
}

/** Compiles a plain expression's tree; undefined when the library has to evaluate it. */
export function compilePlain(node: Node): Plain | undefined {
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
      return compileStep(node, true);
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
      return only && more.length === 0 ? compilePlain(only) : undefined;
    }
    default:
      return undefined;
  }
}
