import type { Random } from '../../../lib/ports/random.ts';

/** A pattern and an event that it is held against. */
export interface Pair {
  readonly pattern: unknown;
  readonly event: unknown;
}

const keys = ['a', 'b', 'c', 'a.b', 'source', 'detail'];
const texts = [
  '',
  'x',
  'X',
  'xy',
  'abc',
  'aBc',
  'a*c',
  'a\\c',
  '10.0.0.1',
  '10.0.0.200',
  '::1',
  '0:0:0:0:0:0:0:1',
  'true',
  '1',
];
const numbers = [0, 1, -1, 2, 5, 1.5, 100, 5e9, 6e9];
/** Numbers that EventBridge compares. */
const comparable = numbers.slice(0, -1);
const leaves = [...texts, ...numbers, true, false, null];

/** Patterns and events out of small vocabularies, so that they meet often; `random` decides everything. */
export function createGenerator(random: Random) {
  const below = (count: number) => Math.floor(random() * count);
  const one = <T>(of: readonly T[]): T => of[below(of.length)] as T;
  const many = <T>(most: number, make: () => T): T[] => Array.from({ length: below(most + 1) }, make);
  const text = () => one(texts);
  const textOrList = () =>
    random() < 0.3
      ? seldom(
          () => [text(), ...many(2, text)],
          () => [],
        )
      : text();
  const folded = (name: string) => ({ [name]: random() < 0.3 ? { 'equals-ignore-case': text() } : text() });
  // Seldom what is refused anyway: a pattern has many terms, and one of them suffices for a refusal.
  const seldom = <T>(usual: () => T, rare: () => T): T => (random() < 0.03 ? rare() : usual());
  const sign = () =>
    seldom(
      () => one(['<', '<=', '>', '>=', '=']),
      () => '!',
    );
  const bound = () => [
    sign(),
    seldom<unknown>(
      () => one(comparable),
      () => one([6e9, '1']),
    ),
  ];
  const range = () => {
    const [a, b] = [one(comparable), one(comparable)].sort((x, y) => x - y);
    return [one(['>', '>=']), a, one(['<', '<=']), b];
  };
  const wildcard = () =>
    seldom(
      () => one(['*', 'a*', '*c', 'a*c', 'x', 'a\\*c', 'a\\\\c', '*b*', '']),
      () => one(['**', 'a\\c', '\\']),
    );
  const block = () =>
    seldom(
      () => one(['10.0.0.0/24', '10.0.0.0/31', '10.0.0.7/8', '::/64', '::/127']),
      () => one(['10.0.0.1/32', '10.0.0.0/0', '::1/128', '10.0.0.0', 'x/1']),
    );

  const negations: (() => unknown)[] = [
    () => textOrList(),
    () => one<unknown>(numbers),
    () =>
      seldom<unknown[]>(
        () => [one(numbers), ...many(2, () => one(numbers))],
        () => many(3, () => one(leaves)),
      ),
    () => ({ prefix: textOrList() }),
    () => ({ suffix: textOrList() }),
    () => ({ 'equals-ignore-case': textOrList() }),
    () => ({ wildcard: wildcard() }),
    () => ({ wildcard: many(2, wildcard) }),
  ];
  const operators: (() => unknown)[] = [
    () => folded('prefix'),
    () => folded('suffix'),
    () => ({ 'equals-ignore-case': text() }),
    () => ({ wildcard: wildcard() }),
    () => ({ numeric: random() < 0.5 ? bound() : seldom(range, () => [...bound(), ...bound()]) }),
    () => ({ cidr: block() }),
    () => ({ exists: random() >= 0.6 }),
    () => ({ 'anything-but': one(negations)() }),
    () => ({ 'anything-but': one(negations)() }),
  ];
  const odd: readonly unknown[] = [
    ...[{ regex: 'a' }, {}, { prefix: 'a', suffix: 'b' }, ['x'], { prefix: 1 }, { exists: 'yes' }],
    ...[
      { 'anything-but': { numeric: ['=', 1] } },
      { 'anything-but': { exists: true } },
      { 'anything-but': null },
    ],
  ];
  const term = () =>
    seldom<unknown>(
      () => (random() < 0.5 ? one<unknown>(leaves) : one(operators)()),
      () => one(odd),
    );
  const terms = () => (random() < 0.01 ? [] : [term(), ...many(1, term)]);

  const object = (depth: number): Record<string, unknown> => {
    const made: Record<string, unknown> = {};
    for (let count = random() < 0.01 ? 0 : 1 + below(3); count > 0; count -= 1) {
      const draw = random();
      if (draw < 0.12)
        made['$or'] = random() < 0.1 ? [object(depth - 1)] : [object(depth - 1), object(depth - 1)];
      else if (draw < 0.125) made[one(['prefix', 'cidr', '='])] = terms();
      else made[one(keys)] = depth > 0 && draw < 0.6 ? object(depth - 1) : terms();
    }
    return made;
  };

  const value = (depth: number): unknown => {
    const draw = random();
    if (depth <= 0 || draw < 0.3) return one<unknown>(leaves);
    if (draw < 0.65) return many(3, () => value(depth - 1));
    return tree(depth - 1);
  };
  const tree = (depth: number): Record<string, unknown> =>
    Object.fromEntries(many(4, () => [one(keys), value(depth)] as const));

  /** A branch of the event with the leaves of one of the pattern's fields, so that matches are not rare. */
  const likely = (pattern: unknown): unknown => {
    if (Array.isArray(pattern)) {
      const plain = pattern.filter((each) => typeof each !== 'object' || each === null);
      return plain.length > 0 && random() < 0.8 ? one(plain) : one<unknown>(leaves);
    }
    if (typeof pattern !== 'object' || pattern === null) return pattern;
    const fields = Object.entries(pattern).flatMap(([key, inner]): [string, unknown][] => {
      if (key === '$or') return Array.isArray(inner) ? Object.entries(likely(one(inner)) as object) : [];
      return random() < 0.15
        ? []
        : [[key, random() < 0.25 ? [likely(inner), likely(inner), value(1)] : likely(inner)]];
    });
    return Object.fromEntries(fields);
  };

  return (): Pair => {
    const pattern = object(3);
    const event = random() < 0.7 ? { ...tree(2), ...(likely(pattern) as object) } : tree(4);
    return { pattern, event };
  };
}

/** The patterns without `$or` of which one has to match, each flat: dotted path to terms; a path named again is replaced. */
export function withoutChoices(pattern: object, before: readonly object[] = [{}], path = ''): object[] {
  return Object.entries(pattern).reduce<object[]>(
    (flat, [key, value]) => {
      if (key === '$or') return (value as object[]).flatMap((choice) => withoutChoices(choice, flat, path));
      const here = path === '' ? key : `${path}.${key}`;
      if (!Array.isArray(value)) return withoutChoices(value as object, flat, here);
      return flat.map((each) => ({ ...each, [here]: value }));
    },
    [...before],
  );
}
