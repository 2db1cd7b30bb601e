import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

type Tree = { readonly [key: string]: unknown };

/** A compiled event pattern. */
export type Matches = (event: unknown) => boolean;

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function unsupported(what: string, place: string): EpsilonError {
  return new EpsilonError(
    'EVENT_PATTERN_UNSUPPORTED',
    `Event pattern at ${place}: ${what} is not matched here.`,
    { details: { place } },
  );
}

type Test = (value: unknown) => boolean;

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function numeric(terms: unknown, place: string): Test {
  if (!Array.isArray(terms) || terms.length % 2 !== 0 || terms.length === 0)
    throw unsupported('a numeric list of odd length', place);
  const tests = Array.from({ length: terms.length / 2 }, (_, index) => {
    const compare = comparisons[String(terms[index * 2])];
    if (!compare) throw unsupported(`the comparison ${String(terms[index * 2])}`, place);
    return (value: number) => compare(value, Number(terms[index * 2 + 1]));
  });
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function wildcard(text: string): Test {
  const pattern = new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
  return (value) => typeof value === 'string' && pattern.test(value);
}

function textTest(test: (value: string) => boolean): Test {
  return (value) => typeof value === 'string' && test(value);
}

function operator(term: Tree, place: string): Test {
  const [name = '', ...more] = Object.keys(term);
  const operand = term[name];
  if (more.length > 0) throw unsupported(`the combination ${Object.keys(term).join(', ')}`, place);
  switch (name) {
    case 'prefix':
      return textTest((value) => value.startsWith(String(operand)));
    case 'suffix':
      return textTest((value) => value.endsWith(String(operand)));
    case 'equals-ignore-case':
      return textTest((value) => value.toLowerCase() === String(operand).toLowerCase());
    case 'wildcard':
      return wildcard(String(operand));
    case 'numeric':
      return numeric(operand, place);
    case 'anything-but': {
      const refused = Array.isArray(operand) ? (operand as unknown[]) : [operand];
      const tests = refused.map((each) => testOf(each, place));
      return (value) => value !== undefined && !tests.some((test) => test(value));
    }
    case 'exists':
      return (value) => (value !== undefined) === operand;
    default:
      throw unsupported(`"${name}"`, place);
  }
}

function testOf(term: unknown, place: string): Test {
  return isTree(term) ? operator(term, place) : (value) => value === term;
}

function leaf(terms: readonly unknown[], place: string): Test {
  const tests = terms.map((term) => testOf(term, place));
  return (value) =>
    Array.isArray(value)
      ? value.some((each) => tests.some((test) => test(each)))
      : tests.some((test) => test(value));
}

/** Compiles an EventBridge event pattern; what it cannot match is refused by name (`EVENT_PATTERN_UNSUPPORTED`). */
export function compilePattern(pattern: unknown, place = '$'): Matches {
  if (!isTree(pattern)) throw unsupported('a pattern that is no object', place);
  const tests = Object.entries(pattern).map(([key, value]): Matches => {
    const here = `${place}.${key}`;
    if (key === '$or' && Array.isArray(value)) {
      const choices = value.map((each, index) => compilePattern(each, `${here}[${index}]`));
      return (event) => choices.some((matches) => matches(event));
    }
    const test = Array.isArray(value) ? leaf(value, here) : compilePattern(value, here);
    return (event) => test(isTree(event) ? event[key] : undefined);
  });
  return (event) => tests.every((test) => test(event));
}
