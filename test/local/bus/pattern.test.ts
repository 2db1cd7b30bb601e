import { describe, expect, test } from 'vitest';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { compilePattern } from '../../../local/bus/pattern.ts';

/** Does the pattern of one field fit an event with that field? */
const fits = (terms: unknown, event: unknown) => compilePattern({ detail: { x: terms } })({ detail: event });

describe('a field of a pattern', () => {
  test.each([
    ['exact text', ['a'], { x: 'a' }, true],
    ['other case', ['a'], { x: 'A' }, false],
    ['one of several', ['a', 'b'], { x: 'b' }, true],
    ['null', [null], { x: null }, true],
    ['null, which is not absence', [null], {}, false],
    ['a boolean', [true], { x: true }, true],
    ['a boolean, which is not its text', [true], { x: 'true' }, false],
    ['a number however written', [100], { x: 1e2 }, true],
    ['any element of a list', ['b'], { x: ['a', 'b'] }, true],
    ['no element of a list', ['c'], { x: ['a', 'b'] }, false],
    ['prefix', [{ prefix: 'us-' }], { x: 'us-west-2' }, true],
    ['prefix of another', [{ prefix: 'us-' }], { x: 'eu-west-1' }, false],
    ['prefix of any case', [{ prefix: { 'equals-ignore-case': 'US-' } }], { x: 'us-west-2' }, true],
    ['suffix', [{ suffix: '.png' }], { x: 'a.png' }, true],
    ['suffix of any case', [{ suffix: { 'equals-ignore-case': '.PNG' } }], { x: 'a.png' }, true],
    ['text of any case', [{ 'equals-ignore-case': 'alice' }], { x: 'ALICE' }, true],
    ['wildcard', [{ wildcard: 'dir/*/*.csv' }], { x: 'dir/a/b/c.csv' }, true],
    ['wildcard whose parts would overlap', [{ wildcard: 'aba*aba' }], { x: 'ababa' }, false],
    ['wildcard without star', [{ wildcard: 'a' }], { x: 'ab' }, false],
    ['wildcard with an escaped star', [{ wildcard: 'a\\*b' }], { x: 'a*b' }, true],
    ['wildcard with an escaped star, against another', [{ wildcard: 'a\\*b' }], { x: 'axb' }, false],
    ['numeric range', [{ numeric: ['>', 0, '<=', 5] }], { x: 5 }, true],
    ['numeric range, outside', [{ numeric: ['>', 0, '<=', 5] }], { x: 0 }, false],
    ['numeric, against text', [{ numeric: ['=', 5] }], { x: '5' }, false],
    ['cidr', [{ cidr: '10.0.0.0/24' }], { x: '10.0.0.255' }, true],
    ['cidr, outside', [{ cidr: '10.0.0.0/24' }], { x: '10.0.1.0' }, false],
    ['cidr of IPv6', [{ cidr: '2001:db8::/32' }], { x: '2001:db8::1' }, true],
    ['cidr, against no address', [{ cidr: '10.0.0.0/24' }], { x: 'here' }, false],
    ['exists', [{ exists: true }], { x: null }, true],
    ['exists, absent', [{ exists: true }], {}, false],
    ['does not exist', [{ exists: false }], {}, true],
    ['does not exist, present', [{ exists: false }], { x: 0 }, false],
    ['exists, an object being no leaf', [{ exists: true }], { x: { y: 1 } }, false],
    ['anything but', [{ 'anything-but': 'a' }], { x: 'b' }, true],
    ['anything but, that', [{ 'anything-but': 'a' }], { x: 'a' }, false],
    ['anything but, absent', [{ 'anything-but': 'a' }], {}, false],
    ['anything but a list of numbers', [{ 'anything-but': [2, 1] }], { x: 1 }, false],
    ['anything but a text, against a number', [{ 'anything-but': ['a', 'b'] }], { x: 1 }, true],
    ['an address in another spelling', ['0:0:0:0:0:0:0:1'], { x: '::1' }, true],
    ['an element of a list in a list', ['b'], { x: [['a'], ['b']] }, true],
    ['an empty list, which is no field', [{ exists: true }], { x: [] }, false],
    ['anything but a prefix', [{ 'anything-but': { prefix: 'us-' } }], { x: 'us-1' }, false],
    [
      'anything but several suffixes',
      [{ 'anything-but': { suffix: ['.png', '.jpg'] } }],
      { x: 'a.jpg' },
      false,
    ],
    ['anything but a wildcard', [{ 'anything-but': { wildcard: '*/lib/*' } }], { x: 'a/bin/b' }, true],
    ['a field the prototype has', [{ exists: false }], Object.create({ x: 'inherited' }), true],
  ])('%s', (_, terms, event, expected) => {
    expect(fits(terms, event)).toBe(expected);
  });

  test('a wildcard with many stars stays fast on hostile text', () => {
    const matches = compilePattern({ x: [{ wildcard: `${'*a'.repeat(40)}*b` }] });
    expect(matches({ x: 'a'.repeat(100_000) })).toBe(false);
  });
});

describe('a pattern as a whole', () => {
  const event = {
    source: 'aws.states',
    detail: {
      status: 'FAILED',
      items: [
        { a: 1, b: 2 },
        { a: 3, b: 4 },
      ],
    },
  };

  test.each([
    ['fields of all levels', { source: ['aws.states'], detail: { status: ['FAILED', 'ABORTED'] } }, true],
    ['one field that does not fit', { source: ['aws.batch'], detail: { status: ['FAILED'] } }, false],
    [
      'one of several choices',
      { $or: [{ source: ['aws.batch'] }, { detail: { status: ['FAILED'] } }] },
      true,
    ],
    ['none of several choices', { $or: [{ source: ['aws.batch'] }, { source: ['aws.eks'] }] }, false],
    [
      'a choice that names a field again, which replaces it',
      { source: ['aws.batch'], $or: [{ source: ['aws.states'] }, { x: [1] }] },
      true,
    ],
    ['a choice beside a field', { source: ['aws.batch'], $or: [{ y: [2] }, { x: [1] }] }, false],
    ['an object within a list', { detail: { items: { a: [3], b: [4] } } }, true],
    ['never two objects of a list together', { detail: { items: { a: [1], b: [4] } } }, false],
    ['a level that is not there', { detail: { other: { deep: [1] } } }, false],
    ['the absence of a level', { detail: { other: { deep: [{ exists: false }] } } }, true],
  ])('%s', (_, pattern, expected) => {
    expect(compilePattern(pattern)(event)).toBe(expected);
  });

  test.each([
    ['absence judged per element', { a: { b: [{ exists: false }] } }, { a: [{ b: 1 }, { c: 2 }] }, false],
    ['absence in every element', { a: { b: [{ exists: false }] } }, { a: [{ d: 1 }, { c: 2 }] }, true],
    [
      'absence within the element that an earlier field chose',
      { a: { b: [1], c: [{ exists: false }] } },
      { a: [{ b: 1 }, { b: 2, c: 2 }] },
      true,
    ],
    ['a dotted name in the pattern', { 'a.b': [1] }, { a: { b: 1 } }, true],
    ['a dotted name in the event', { a: { b: [1] } }, { 'a.b': 1 }, true],
    ['objects in lists in lists', { a: { b: [1], c: [2] } }, { a: [[{ b: 1, c: 2 }]] }, true],
    [
      'never two objects of inner lists together',
      { a: { b: [1], c: [2] } },
      { a: [[{ b: 1 }, { c: 2 }]] },
      false,
    ],
    ['plain elements of one list together', { a: [1], b: [2] }, { a: [1, 2], b: [1, 2] }, true],
  ])('%s', (_, pattern, deep, expected) => {
    expect(compilePattern(pattern)(deep)).toBe(expected);
  });

  test('large lists that match in part only stay affordable', () => {
    const many = Array.from({ length: 2_000 }, () => ({ x: 1 }));
    const of = (name: string) => ({ [name]: { x: [1] } });
    const pattern = { ...of('a'), ...of('b'), ...of('c'), d: { x: [2] } };
    expect(compilePattern(pattern)({ a: many, b: many, c: many, d: many })).toBe(false);
  });

  test.each([
    ['as deep as the matcher reads', 900, true],
    ['deeper than the matcher reads', 100_000, false],
  ])('an event %s (%d lists)', (_, levels, expected) => {
    let deep: unknown = 1;
    for (let level = 0; level < levels; level += 1) deep = [deep];
    expect(compilePattern({ a: [1] })({ a: deep })).toBe(expected);
  });

  test.each([null, undefined, 'text', 7, []])('never fits what is no event: %j', (nothing) => {
    expect(compilePattern({ source: ['a'] })(nothing)).toBe(false);
  });
});

describe('a pattern that is refused by name and place', () => {
  test('a pattern that is 20,000 levels deep is refused', () => {
    let deep: unknown = ['x'];
    for (let level = 0; level < 20_000; level += 1) deep = { a: deep };
    expect(() => compilePattern(deep)).toThrow(
      expect.objectContaining({ code: 'EVENT_PATTERN_UNSUPPORTED' }),
    );
  });

  test('a pattern with more combinations of $or than a rule may have is refused', () => {
    const choices = (name: string) => ({ $or: Array.from({ length: 11 }, (_, at) => ({ [name]: [at] })) });
    const pattern = { a: choices('x'), b: choices('y'), c: choices('z') };
    expect(() => compilePattern(pattern)).toThrow('1000 combinations');
  });

  test.each([
    ['an operator nobody knows', { detail: { x: [{ regex: 'a' }] } }, '"regex"', 'Rule.detail.x'],
    ['an intrinsic left over', { detail: { x: [{ Ref: 'Queue' }] } }, '"Ref"', 'Rule.detail.x'],
    ['two operators in one', { x: [{ prefix: 'a', suffix: 'b' }] }, 'prefix, suffix', 'Rule.x'],
    ['a value that is no list', { x: 'a' }, 'no object', 'Rule.x'],
    ['an empty list', { x: [] }, 'empty list', 'Rule.x'],
    ['a list within a list', { x: [['a']] }, 'list within', 'Rule.x'],
    ['an empty pattern', {}, 'empty object', 'Rule'],
    ['one choice', { $or: [{ x: [1] }] }, 'fewer than two', 'Rule.$or'],
    ['a comparison nobody knows', { x: [{ numeric: ['!', 1] }] }, '"!"', 'Rule.x'],
    ['a comparison of the prototype', { x: [{ numeric: ['constructor', 1] }] }, 'constructor', 'Rule.x'],
    ['a bound that is text', { x: [{ numeric: ['>', '1'] }] }, 'bound', 'Rule.x'],
    ['three terms', { x: [{ numeric: ['>', 1, '<'] }] }, 'bounds', 'Rule.x'],
    ['no block', { x: [{ cidr: '10.0.0.0/33' }] }, 'block', 'Rule.x'],
    ['two stars in a row', { x: [{ wildcard: 'a**' }] }, 'two stars', 'Rule.x'],
    ['exists of text', { x: [{ exists: 'yes' }] }, 'exists', 'Rule.x'],
    [
      'anything but numbers in a range',
      { x: [{ 'anything-but': { numeric: ['>', 1] } }] },
      'numeric',
      'Rule.x',
    ],
    ['prefix of a number', { x: [{ prefix: 1 }] }, 'prefix', 'Rule.x'],
    ['a block of one address', { x: [{ cidr: '10.0.0.1/32' }] }, 'block', 'Rule.x'],
    ['a block of one IPv6 address', { x: [{ cidr: '::1/128' }] }, 'block', 'Rule.x'],
    ['an empty range', { x: [{ numeric: ['>', 5, '<', 5] }] }, 'below', 'Rule.x'],
    ['a range upside down', { x: [{ numeric: ['<', 5, '>', 1] }] }, 'lower bound', 'Rule.x'],
    ['anything but an empty prefix', { x: [{ 'anything-but': { prefix: '' } }] }, 'empty', 'Rule.x'],
    [
      'anything but an empty list of suffixes',
      { x: [{ 'anything-but': { suffix: [] } }] },
      'empty',
      'Rule.x',
    ],
    ['anything but texts and numbers mixed', { x: [{ 'anything-but': ['a', 1] }] }, 'anything-but', 'Rule.x'],
    ['anything but null', { x: [{ 'anything-but': null }] }, 'anything-but', 'Rule.x'],
    ['a reserved name within $or', { $or: [{ cidr: [1] }, { x: [1] }] }, '"cidr"', 'Rule.$or[0].cidr'],
    ['a pattern too long', { x: ['a'.repeat(4_100)] }, '4096 characters', 'Rule'],
  ])('%s', (_, pattern, word, place) => {
    const attempt = () => compilePattern(pattern, 'Rule');
    expect(attempt).toThrow(EpsilonError);
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'EVENT_PATTERN_UNSUPPORTED', details: { place } }),
    );
    expect(attempt).toThrow(word);
  });
});
