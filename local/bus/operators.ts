import { BlockList, isIP } from 'node:net';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { Leaf } from './event-fields.ts';

type Tree = { readonly [key: string]: unknown };

/** Returns whether one value of an event fits. */
export type Test = (value: Leaf) => boolean;

/** One term of a field's list: fits a value, or the absence of the field. */
export interface Term {
  readonly absent: boolean;
  readonly test: Test;
}

/** `EVENT_PATTERN_UNSUPPORTED` with the place in the pattern. */
export function patternRefused(what: string, place: string): EpsilonError {
  return new EpsilonError('EVENT_PATTERN_UNSUPPORTED', `Event pattern at ${place}: ${what} is refused.`, {
    details: { place },
  });
}

/** An object, not a list. */
export const isTree = (value: unknown): value is Tree =>
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

/** Lower bounds may be followed by an upper one; nothing else combines. */
const lower = ['>', '>='];
const upper = ['<', '<='];

function numeric(operand: unknown, place: string): Test {
  const terms = Array.isArray(operand) ? (operand as unknown[]) : [];
  if (terms.length !== 2 && terms.length !== 4)
    throw patternRefused('a numeric list without one or two bounds', place);
  const bounds = [0, 2]
    .slice(0, terms.length / 2)
    .map((index) => numericBound(terms[index], terms[index + 1], place));
  const [first, second] = bounds;
  if (second && !(first && lower.includes(first.sign) && upper.includes(second.sign)))
    throw patternRefused('a range that is not a lower bound followed by an upper one', place);
  if (first && second && first.bound >= second.bound)
    throw patternRefused('a range whose lower bound is not below its upper one', place);
  return (value) => typeof value === 'number' && bounds.every(({ fits }) => fits(value));
}

function numericBound(sign: unknown, bound: unknown, place: string) {
  const compare =
    typeof sign === 'string' && Object.hasOwn(comparisons, sign) ? comparisons[sign] : undefined;
  if (!compare || typeof sign !== 'string')
    throw patternRefused(`the comparison ${JSON.stringify(sign)}`, place);
  if (typeof bound !== 'number' || Math.abs(bound) > largestNumber)
    throw patternRefused(`the bound ${JSON.stringify(bound)} (a number within ±5,000,000,000)`, place);
  return { sign, bound, fits: (value: number) => compare(value, bound) };
}

function textOf(operand: unknown, name: string, place: string): string {
  if (typeof operand === 'string') return operand;
  throw patternRefused(`"${name}" of ${JSON.stringify(operand)}`, place);
}

const onText =
  (test: (value: string) => boolean): Test =>
  (value) =>
    typeof value === 'string' && test(value);

/** Upper case and then lower, so that letters with one upper case (as the long s) are one letter. */
const fold = (text: string) => text.toUpperCase().toLowerCase();

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
    throw patternRefused(`"${name}" of {${Object.keys(operand).join(', ')}}`, place);
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
      if (next === '*') throw patternRefused('a wildcard with two stars in a row', place);
      parts.push('');
      continue;
    }
    const escaped = char === '\\' && (next === '*' || next === '\\');
    if (char === '\\' && !escaped)
      throw patternRefused('a wildcard with a backslash before another character', place);
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

/** EventBridge compares addresses however they are written, also those that stand in a pattern as plain text. */
function addressBlock(address: string, bits: number): { readonly family: number; readonly test: Test } {
  const family = isIP(address);
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  const block = new BlockList();
  block.addSubnet(address, bits, kind);
  return { family, test: onText((value) => isIP(value) === family && block.check(value, kind)) };
}

function cidr(operand: unknown, place: string): Test {
  const [address = '', bits = '', ...more] = textOf(operand, 'cidr', place).split('/');
  const family = isIP(address);
  // A block of one address is refused; the address itself is an exact value.
  const longest = family === 6 ? 127 : 31;
  if (family === 0 || more.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > longest)
    throw patternRefused(`the block ${JSON.stringify(operand)}`, place);
  return addressBlock(address, Number(bits)).test;
}

/** An exact value; a text that is an address fits the address in any spelling. */
function exactly(term: Leaf): Test {
  if (typeof term !== 'string' || isIP(term) === 0) return (value) => value === term;
  const { test } = addressBlock(term, isIP(term) === 6 ? 128 : 32);
  return (value) => value === term || test(value);
}

/** Operators that may stand under `anything-but`, where each also takes a list of texts. */
const negatable = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard'];

function negatedOperator(operand: Tree, place: string): Test[] {
  const [name = '', ...more] = Object.keys(operand);
  if (more.length > 0 || !negatable.includes(name))
    throw patternRefused(`"anything-but" of {${Object.keys(operand).join(', ')}}`, place);
  const texts = Array.isArray(operand[name]) ? (operand[name] as unknown[]) : [operand[name]];
  if (texts.length === 0) throw patternRefused(`"anything-but" of an empty "${name}"`, place);
  return texts.map((each) => {
    const text = textOf(each, name, place);
    if (text === '' && (name === 'prefix' || name === 'suffix'))
      throw patternRefused(`"anything-but" of an empty "${name}"`, place);
    return operatorTest(name, text, place);
  });
}

function anythingBut(operand: unknown, place: string): Test {
  if (isTree(operand)) {
    const tests = negatedOperator(operand, place);
    return (value) => !tests.some((test) => test(value));
  }
  const terms = Array.isArray(operand) ? (operand as unknown[]) : [operand];
  const kinds = new Set(terms.map((term) => typeof term));
  if (kinds.size !== 1 || !(kinds.has('string') || kinds.has('number')))
    throw patternRefused(`"anything-but" of ${JSON.stringify(operand)} (texts, or numbers)`, place);
  return (value) => !terms.includes(value);
}

function operatorTest(name: string, operand: unknown, place: string): Test {
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
    default:
      throw patternRefused(`"${name}"`, place);
  }
}

function existence(operand: unknown, place: string): Term {
  if (typeof operand !== 'boolean') throw patternRefused(`"exists" of ${JSON.stringify(operand)}`, place);
  return { absent: !operand, test: () => operand };
}

/** Compiles one element of a field's list: an exact value or an operator; throws `EVENT_PATTERN_UNSUPPORTED`. */
export function compileTerm(term: unknown, place: string): Term {
  if (Array.isArray(term)) throw patternRefused('a list within a list', place);
  if (!isTree(term)) return { absent: false, test: exactly(term as Leaf) };
  const [name = '', ...more] = Object.keys(term);
  if (more.length > 0) throw patternRefused(`the combination ${Object.keys(term).join(', ')}`, place);
  if (name === 'exists') return existence(term[name], place);
  return { absent: false, test: operatorTest(name, term[name], place) };
}
