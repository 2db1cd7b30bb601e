import { operatorTest, patternUnsupported, type Test } from './operators.ts';

type Tree = { readonly [key: string]: unknown };

/** A compiled event pattern. */
export type Matches = (event: unknown) => boolean;

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function testOf(term: unknown, place: string): Test {
  if (isTree(term)) return operatorTest(term, place);
  if (Array.isArray(term)) throw patternUnsupported('a list within a list', place);
  return (value) => value === term;
}

/** The leaves of a field: EventBridge looks into lists, and an object is no leaf. */
function leavesOf(value: unknown): readonly unknown[] {
  const leaves = (Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]).filter(
    (each) => each !== undefined && !isTree(each),
  );
  return leaves.length === 0 ? [undefined] : leaves;
}

function leafTest(terms: readonly unknown[], place: string): Test {
  if (terms.length === 0) throw patternUnsupported('an empty list', place);
  const tests = terms.map((term) => testOf(term, place));
  return (value) => leavesOf(value).some((leaf) => tests.some((test) => test(leaf)));
}

function fieldTest(key: string, value: unknown, place: string): Matches {
  const test = Array.isArray(value) ? leafTest(value, place) : compilePattern(value, place);
  return (event) => test(isTree(event) && Object.hasOwn(event, key) ? event[key] : undefined);
}

function choiceTest(value: unknown, place: string): Matches {
  if (!Array.isArray(value) || value.length < 2)
    throw patternUnsupported('"$or" with fewer than two choices', place);
  const choices = value.map((each, index) => compilePattern(each, `${place}[${index}]`));
  return (event) => choices.some((matches) => matches(event));
}

/**
 * Compiles an EventBridge event pattern: exact values, prefix, suffix, equals-ignore-case, wildcard, numeric, cidr,
 * exists, anything-but and `$or`. Anything else is refused by name and place (`EVENT_PATTERN_UNSUPPORTED`).
 */
export function compilePattern(pattern: unknown, place = '$'): Matches {
  if (!isTree(pattern)) throw patternUnsupported('a pattern that is no object', place);
  if (Object.keys(pattern).length === 0) throw patternUnsupported('an empty object', place);
  const tests = Object.entries(pattern).map(([key, value]) => {
    const here = `${place}.${key}`;
    return key === '$or' ? choiceTest(value, here) : fieldTest(key, value, here);
  });
  const all = (event: unknown) => tests.every((test) => test(event));
  // In a list of objects, one of them has to fit as a whole.
  return (event) => (Array.isArray(event) && event.length > 0 ? event.some(all) : all(event));
}
