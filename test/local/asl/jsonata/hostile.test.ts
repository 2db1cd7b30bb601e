import { describe, expect, it } from 'vitest';
import { machine, makeBench } from '../harness.ts';

const memory = 'Expression evaluation memory limit exceeded: Check for excessive memory usage';
const depth =
  'Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive';
const endless = 'Expression evaluation timeout: Check for infinite loop';

const evaluate = (expression: string, input: unknown = {}) =>
  makeBench().run(machine({ P: { Type: 'Pass', Output: `{% ${expression} %}`, End: true } }), input);

const counting = '($f := function($x){ $x <= 0 ? 0 : 1 + $f($x - 1) }; ';
const doubling = '($f := function($s, $n){ $n = 0 ? $s : $f($s & $s, $n - 1) }; ';
const sharing = '($f := function($x, $n){ $n = 0 ? $x : $f([[$x, $x]], $n - 1) }; ';
const big = "$pad('', 1000000, 'a')";

describe('an expression within what the service allows', () => {
  it.each([
    ['adds 100 numbers', `1${' + 1'.repeat(99)}`, 100],
    ['nests 99 parentheses', `${'('.repeat(99)}1${')'.repeat(99)}`, 1],
    ['nests 99 lists', `$count(${'['.repeat(97)}1${']'.repeat(97)})`, 1],
    ['chains 99 functions', `1${' ~> $string'.repeat(99)}`, '1'],
    ['calls itself 31 times', `${counting}$f(31))`, 31],
    ['makes the longest list', '$count([1..873782])', 873_782],
    ['doubles a text 22 times', `${doubling}$length($f('x', 22)))`, 4_194_304],
    ['takes 300,000 steps', '$reduce([1..75000], function($a, $b){ $a + $b })', 2_812_537_500],
    ['sorts 100,000 numbers', '$count($sort([1..100000]))', 100_000],
    ['sorts 10,000 numbers by themselves', '$reverse([1..10000])^($)[0]', 1],
    ['finds 20,000 objects distinct', '$count($distinct([1..20000].{"a": $}))', 20_000],
    ['zips long lists', '$count($zip([1..100000], [1..100000]))', 100_000],
    ['merges many objects', '$count($keys($merge([1..20000].{$string($): $})))', 20_000],
    ['sorts stably, by several terms', '[{"a":2,"b":1},{"a":1,"b":2},{"a":1,"b":1}]^(a, >b).b', [2, 1, 1]],
  ])('%s', async (_, expression, expected) => {
    const done = await evaluate(expression);
    expect(done.cause).toBeUndefined();
    expect(done.output).toEqual(expected);
  });
});

describe('an expression beyond what the service allows fails the same way every time', () => {
  it.each([
    ['adds 101 numbers', `1${' + 1'.repeat(100)}`, depth],
    ['nests 100 parentheses', `${'('.repeat(100)}1${')'.repeat(100)}`, depth],
    ['nests 100 lists', `${'['.repeat(100)}1${']'.repeat(100)}`, depth],
    ['calls itself 32 times', `${counting}$f(32))`, depth],
    [
      'calls itself without end inside an object',
      '($f := function($x){ {"a": 1, "b": $f($x)} }; $f(1))',
      depth,
    ],
    ['calls itself without end as its last act', '($f := function($x){ $f($x + 1) }; $f(1))', endless],
    ['compares more than a million times', '$count([1..100000]^(>$))', endless],
    [
      'appends ever longer lists',
      '$count($reduce([1..100000], function($a, $b){ $append($a, $b) }, []))',
      endless,
    ],
    ['makes a list too long', '$count([1..873783])', memory],
    ['makes a text of a long list', '$string([1..9999999])', memory],
    ['pads', "$pad('a', 500000000)", memory],
    ['doubles a text 23 times', `${doubling}$length($f('x', 23)))`, memory],
    ['joins', `$length($join($map([1..8], function(){ ${big} })))`, memory],
    ['replaces', `$length($replace(${big}, 'a', ${big}))`, memory],
    ['shares its parts 60 times over', `${sharing}$f(1, 60))`, memory],
    ['writes shared parts', `${sharing}$string($f(1, 60)))`, memory],
    ['copies shared parts', `${sharing}$f({"a": 1}, 60) ~> |a|{"b": 1}|)`, memory],
  ])('%s', async (_, expression, message) => {
    const done = await evaluate(expression);
    expect(done).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
    expect(done.cause?.endsWith(`threw an error during evaluation: ${message}`), done.cause).toBe(true);
  });

  it('fills the memory of its process, which is replaced', async () => {
    const done = await evaluate("$length($fromMillis(0, '[Y,500000000-500000000]'))");
    expect(done.cause).toContain(memory);
    expect((await evaluate('$sum([1, 2])')).output).toBe(3);
  });

  it('makes a list of references that no memory holds as text, without leaving this process', async () => {
    const parts = Array.from({ length: 200 }, () => '$states.input.a').join(', ');
    const done = await evaluate(`[${parts}]`, { a: 'x'.repeat(200_000) });
    expect(done.cause).toContain(memory);
    const output = Array.from({ length: 5_000 }, () => '{% $states.input %}');
    const template = await makeBench().run(machine({ P: { Type: 'Pass', Output: output, End: true } }), {
      a: 'x'.repeat(200_000),
    });
    expect(template).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  it('is nested too deeply to be read: refused when loaded', async () => {
    await expect(evaluate(`${'('.repeat(200_000)}1`)).rejects.toThrow(/nested too deeply/);
  });
});

describe('names that JavaScript gives a meaning to', () => {
  it.each([
    ['__proto__ as a key', '{"__proto__": 1, "b": 2}', JSON.parse('{"__proto__": 1, "b": 2}')],
    ['__proto__ as a computed key', '{"__proto" & "__": 1}', JSON.parse('{"__proto__": 1}')],
    ['hasOwnProperty as a key', '{"hasOwnProperty": 1, "a": 2}', { hasOwnProperty: 1, a: 2 }],
    ['__proto__ merged', '$merge([{"__proto__": 1}, {"c": 3}])', JSON.parse('{"__proto__": 1, "c": 3}')],
    ['__proto__ of an input', '$states.input.__proto__', 7],
    ['what objects inherit', '$exists($states.input.constructor)', false],
    ['what objects inherit, in the library', '$exists($lookup($states.input, "toString"))', false],
  ])('%s', async (_, expression, expected) => {
    const done = await evaluate(expression, JSON.parse('{"__proto__": 7}'));
    expect(done.cause).toBeUndefined();
    expect(JSON.stringify(done.output)).toBe(JSON.stringify(expected));
  });

  it('__proto__ as a key of a template and as a variable', async () => {
    const done = await makeBench().run(
      machine({
        A: { Type: 'Pass', Assign: JSON.parse('{"__proto__": "{% 1 + 1 %}"}'), Next: 'B' },
        B: { Type: 'Pass', Output: JSON.parse('{"__proto__": "{% $__proto__ + 1 %}"}'), End: true },
      }),
    );
    expect(JSON.stringify(done.output)).toBe('{"__proto__":3}');
  });
});
