import { type Chosen, choose, type EventField, eventFields, liesIn } from './event-fields.ts';
import { compileTerm, isTree, patternRefused, type Term } from './operators.ts';

/** A compiled event pattern. */
export type Matches = (event: unknown) => boolean;

/** One way to fulfil a pattern: dotted path to the terms of which one has to fit. */
type Alternative = ReadonlyMap<string, readonly Term[]>;

/** PutRule takes no longer pattern (docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html). Characters. */
const longestPattern = 4096;

/** A rule may not have more combinations of `$or` choices (EventBridge user guide, "Complex example with multiple matching"). */
const mostCombinations = 1000;

/** Field names that EventBridge's matcher keeps for itself within `$or`. */
const reservedInOr = new Set([
  ...['exactly', 'equals-ignore-case', 'prefix', 'suffix', 'anything-but', 'exists', 'wildcard', 'numeric'],
  ...['cidr', '=', '<', '<=', '>', '>=', 'regex', 'not-wildcard', 'not-equals-ignore-case'],
  ...['date-after', 'date-on-or-after', 'date-before', 'date-on-or-before', 'in-date-range'],
  ...['ip-address-in-range', 'ip-address-not-in-range'],
]);

/** Refuses what is too long or too deep to be a pattern, before anything recurses into it. */
function checkSize(pattern: unknown, place: string): void {
  let length = 0;
  const open: unknown[] = [pattern];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      length += 1 + value.length;
      for (const each of value) open.push(each);
    } else if (isTree(value)) {
      length += 1;
      for (const [key, inner] of Object.entries(value)) {
        length += key.length + 4;
        open.push(inner);
      }
    } else length += JSON.stringify(value)?.length ?? 0;
    if (length > longestPattern)
      throw patternRefused(`a pattern of more than ${longestPattern} characters`, place);
  }
}

function withTerms(
  alternatives: readonly Alternative[],
  path: string,
  terms: readonly Term[],
): Alternative[] {
  // A path that is named again replaces the earlier terms, as EventBridge's matcher does.
  return (alternatives.length === 0 ? [new Map()] : alternatives).map(
    (each) => new Map([...each, [path, terms]]),
  );
}

function compileTerms(terms: readonly unknown[], place: string): Term[] {
  if (terms.length === 0) throw patternRefused('an empty list', place);
  return terms.map((term) => compileTerm(term, place));
}

interface Place {
  readonly path: string;
  readonly place: string;
  readonly inOr: boolean;
}

function compileChoices(before: readonly Alternative[], choices: unknown, at: Place): Alternative[] {
  if (!Array.isArray(choices) || choices.length < 2)
    throw patternRefused('"$or" with fewer than two choices', at.place);
  const all = choices.flatMap((choice, index) =>
    compileObject(before, choice, { ...at, place: `${at.place}[${index}]`, inOr: true }),
  );
  if (all.length > mostCombinations)
    throw patternRefused(`"$or" with more than ${mostCombinations} combinations`, at.place);
  return all;
}

function compileObject(before: readonly Alternative[], pattern: unknown, at: Place): Alternative[] {
  if (!isTree(pattern)) throw patternRefused('a pattern that is no object', at.place);
  const fields = Object.entries(pattern);
  if (fields.length === 0) throw patternRefused('an empty object', at.place);
  let alternatives = [...before];
  for (const [key, value] of fields) {
    const here = { ...at, place: `${at.place}.${key}`, path: at.path === '' ? key : `${at.path}.${key}` };
    if (key === '$or') alternatives = compileChoices(alternatives, value, { ...here, path: at.path });
    else if (at.inOr && reservedInOr.has(key))
      throw patternRefused(`the field name "${key}" within "$or"`, here.place);
    else if (Array.isArray(value))
      alternatives = withTerms(alternatives, here.path, compileTerms(value, here.place));
    else alternatives = compileObject(alternatives, value, here);
  }
  return alternatives;
}

type Fields = ReadonlyMap<string, readonly EventField[]>;

/** The lists that each path and those after it lie in: what was chosen of other lists cannot matter to them. */
function listsFrom(paths: readonly string[], fields: Fields): Set<number>[] {
  const lists: Set<number>[] = [];
  let later = new Set<number>();
  for (const path of paths.toReversed()) {
    later = new Set(later);
    for (const { membership } of fields.get(path) ?? [])
      for (let at = membership; at; at = at.outer) later.add(at.list);
    lists.unshift(later);
  }
  return lists;
}

/**
 * Looks for one leaf for each path, in the order of the paths, so that all of them lie in the same element of every list
 * that they share; absence is judged within the elements chosen so far. What has failed once from a path and a choice of
 * elements on is not tried again, so that large lists stay affordable.
 */
function fits(alternative: Alternative, fields: Fields): boolean {
  const paths = [...alternative.keys()].sort();
  const lists = listsFrom(paths, fields);
  const failed = new Set<string>();
  const from = (index: number, chosen: Chosen): boolean => {
    const path = paths[index];
    if (path === undefined) return true;
    const mattering = [...chosen].filter(([list]) => lists[index]?.has(list)).sort(([a], [b]) => a - b);
    const key = `${index}:${mattering.join(';')}`;
    if (failed.has(key)) return false;
    const terms = alternative.get(path) ?? [];
    const reachable = (fields.get(path) ?? []).filter(({ membership }) => liesIn(chosen, membership));
    const found =
      (reachable.length === 0 && terms.some(({ absent }) => absent) && from(index + 1, chosen)) ||
      reachable.some(
        ({ value, membership }) =>
          terms.some((term) => term.test(value)) && from(index + 1, choose(chosen, membership)),
      );
    if (!found) failed.add(key);
    return found;
  };
  return from(0, new Map());
}

/**
 * Compiles an EventBridge event pattern: exact values, prefix, suffix, equals-ignore-case, wildcard, numeric, cidr,
 * exists, anything-but and `$or`. It matches what EventBridge's own matcher (aws/event-ruler) matches, and what that matcher
 * refuses is refused by name and place (`EVENT_PATTERN_UNSUPPORTED`).
 */
export function compilePattern(pattern: unknown, place = '$'): Matches {
  checkSize(pattern, place);
  const alternatives = compileObject([], pattern, { path: '', place, inOr: false });
  const wanted = new Set(alternatives.flatMap((alternative) => [...alternative.keys()]));
  return (event) => {
    if (!isTree(event)) return false;
    const fields = eventFields(event, wanted);
    return fields !== undefined && alternatives.some((alternative) => fits(alternative, fields));
  };
}
