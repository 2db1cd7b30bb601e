import { BlockList, isIP } from 'node:net';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

type Tree = { readonly [key: string]: unknown };

/** Tells whether one value of an event fits; `undefined` is an absent field. */
export type Test = (value: unknown) => boolean;

/** `EVENT_PATTERN_UNSUPPORTED` with the place in the pattern. */
export function patternUnsupported(what: string, place: string): EpsilonError {
  return new EpsilonError(
    'EVENT_PATTERN_UNSUPPORTED',
    `Event pattern at ${place}: ${what} is not matched here.`,
    { details: { place } },
  );
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** Numbers EventBridge compares. */
const largestNumber = 5e9;

function numeric(operand: unknown, place: string): Test {
  const terms = Array.isArray(operand) ? (operand as unknown[]) : [];
  if (terms.length !== 2 && terms.length !== 4)
    throw patternUnsupported('a numeric list without one or two bounds', place);
  const tests = [0, 2].slice(0, terms.length / 2).map((index) => {
    const sign = terms[index];
    const bound = terms[index + 1];
    const compare =
      typeof sign === 'string' && Object.hasOwn(comparisons, sign) ? comparisons[sign] : undefined;
    if (!compare) throw patternUnsupported(`the comparison ${JSON.stringify(sign)}`, place);
    if (typeof bound !== 'number' || Math.abs(bound) > largestNumber)
      throw patternUnsupported(`the bound ${JSON.stringify(bound)} (a number within ±5,000,000,000)`, place);
    return (value: number) => compare(value, bound);
  });
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function textOf(operand: unknown, name: string, place: string): string {
  if (typeof operand === 'string') return operand;
  throw patternUnsupported(`"${name}" of ${JSON.stringify(operand)}`, place);
}

const onText =
  (test: (value: string) => boolean): Test =>
  (value) =>
    typeof value === 'string' && test(value);

const fold = (text: string) => text.toLowerCase();

/** `prefix` and `suffix`: of a text, or of `{"equals-ignore-case": text}`. */
function edge(name: 'prefix' | 'suffix', operand: unknown, place: string): Test {
  const fits = (value: string, part: string) =>
    name === 'prefix' ? value.startsWith(part) : value.endsWith(part);
  if (!isTree(operand)) {
    const part = textOf(operand, name, place);
    return onText((value) => fits(value, part));
  }
  const [key, ...more] = Object.keys(operand);
  if (key !== 'equals-ignore-case' || more.length > 0)
    throw patternUnsupported(`"${name}" of {${Object.keys(operand).join(', ')}}`, place);
  const part = fold(textOf(operand[key], name, place));
  return onText((value) => fits(fold(value), part));
}

/** The literal parts between the stars of a wildcard; `\*` and `\\` stand for themselves. */
function wildcardParts(pattern: string, place: string): string[] {
  const parts = [''];
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern[index] ?? '';
    const next = pattern[index + 1] ?? '';
    if (char === '*') {
      if (next === '*') throw patternUnsupported('a wildcard with two stars in a row', place);
      parts.push('');
      continue;
    }
    const escaped = char === '\\' && (next === '*' || next === '\\');
    if (char === '\\' && !escaped)
      throw patternUnsupported('a wildcard with a backslash before another character', place);
    if (escaped) index += 1;
    parts[parts.length - 1] += escaped ? next : char;
  }
  return parts;
}

/** Each part is searched after the one before it: linear, where a regular expression could be made to crawl. */
function wildcard(operand: unknown, place: string): Test {
  const [first = '', ...rest] = wildcardParts(textOf(operand, 'wildcard', place), place);
  const last = rest.pop();
  return onText((value) => {
    if (last === undefined) return value === first;
    if (!value.startsWith(first) || !value.endsWith(last)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = value.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= value.length - last.length;
  });
}

function cidr(operand: unknown, place: string): Test {
  const [address = '', bits = '', ...more] = textOf(operand, 'cidr', place).split('/');
  const family = isIP(address);
  const longest = family === 6 ? 128 : 32;
  if (family === 0 || more.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > longest)
    throw patternUnsupported(`the block ${JSON.stringify(operand)}`, place);
  const block = new BlockList();
  block.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  return onText((value) => isIP(value) === family && block.check(value, family === 6 ? 'ipv6' : 'ipv4'));
}

/** Operators that may stand under `anything-but`, where each also takes a list. */
const negatable = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard'];

function anythingBut(operand: unknown, place: string): Test {
  const terms = Array.isArray(operand) ? (operand as unknown[]) : [operand];
  if (terms.length === 0) throw patternUnsupported('an empty "anything-but"', place);
  const tests = terms.flatMap((term): Test[] => {
    if (!isTree(term)) {
      if (typeof term !== 'string' && typeof term !== 'number')
        throw patternUnsupported(`"anything-but" of ${JSON.stringify(term)}`, place);
      return [(value) => value === term];
    }
    const [name = '', ...more] = Object.keys(term);
    if (Array.isArray(operand) || more.length > 0 || !negatable.includes(name))
      throw patternUnsupported(`"anything-but" of {${Object.keys(term).join(', ')}}`, place);
    const inner = Array.isArray(term[name]) ? (term[name] as unknown[]) : [term[name]];
    return inner.map((each) => operatorTest({ [name]: each }, place));
  });
  return (value) => value !== undefined && !tests.some((test) => test(value));
}

/** Compiles one operator, `{name: operand}`; throws `EVENT_PATTERN_UNSUPPORTED`. */
export function operatorTest(term: Tree, place: string): Test {
  const [name = '', ...more] = Object.keys(term);
  const operand = term[name];
  if (more.length > 0) throw patternUnsupported(`the combination ${Object.keys(term).join(', ')}`, place);
  switch (name) {
    case 'prefix':
    case 'suffix':
      return edge(name, operand, place);
    case 'equals-ignore-case': {
      const text = fold(textOf(operand, name, place));
      return onText((value) => fold(value) === text);
    }
    case 'wildcard':
      return wildcard(operand, place);
    case 'numeric':
      return numeric(operand, place);
    case 'cidr':
      return cidr(operand, place);
    case 'anything-but':
      return anythingBut(operand, place);
    case 'exists':
      if (typeof operand !== 'boolean')
        throw patternUnsupported(`"exists" of ${JSON.stringify(operand)}`, place);
      return (value) => (value !== undefined) === operand;
    default:
      throw patternUnsupported(`"${name}"`, place);
  }
}
