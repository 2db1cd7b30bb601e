import fc from 'fast-check';
import jsonata from 'jsonata';
import { afterAll, describe, expect, it } from 'vitest';
import { ProcessEvaluators } from '../../../../local/asl/jsonata/evaluators.ts';
import { compileExpression } from '../../../../local/asl/jsonata/expression.ts';
import { compilePlain } from '../../../../local/asl/jsonata/plain-expression.ts';
import type { Evaluation } from '../../../../local/asl/jsonata/protocol.ts';
import type { Node } from '../../../../local/asl/jsonata/syntax-tree.ts';
import { machine, makeBench } from '../harness.ts';

const evaluators = new ProcessEvaluators();
afterAll(() => evaluators.close());

describe('plain JSONata', () => {
  const value = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(0, 1, -2.5, 'a', 'b', '', true, false, null),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('json'), { maxKeys: 3 }),
    ),
  })).json;
  const path = fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 0, maxLength: 3 })
    .map((keys) => ['$x', ...keys].join('.'));
  const expression = fc.letrec<{ e: string }>((tie) => ({
    e: fc.oneof(
      { depthSize: 'small' },
      path,
      fc.constantFrom('1', "'t'", 'true', 'null', '2.5'),
      fc
        .tuple(
          tie('e'),
          fc.constantFrom('&', '=', '!=', '<', '<=', '>', '>=', '+', '-', '*', 'and', 'or'),
          tie('e'),
        )
        .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc
        .tuple(tie('e'), tie('e'), tie('e'))
        .map(([condition, then, otherwise]) => `(${condition} ? ${then} : ${otherwise})`),
      tie('e').map((inner) => `$exists(${inner})`),
      tie('e').map((inner) => `$count(${inner})`),
      tie('e').map((inner) => `$not(${inner})`),
      fc.tuple(tie('e'), tie('e')).map(([left, right]) => `[${left}, ${right}]`),
      fc.tuple(tie('e'), tie('e')).map(([left, right]) => `{"k": ${left}, "l": ${right}}`),
    ),
  })).e;

  it('is evaluated exactly as the library evaluates it', async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(expression, value, async (source, x) => {
        const tree = jsonata(source).ast() as unknown as Node;
        if (compilePlain(tree, 100)) plain += 1;
        const settle = async (work: () => unknown) => {
          try {
            return { value: JSON.stringify(await work()) };
          } catch {
            return { error: true };
          }
        };
        const scope = {
          lookup: (name: string) => (name === 'x' ? x : undefined),
          now: () => 0,
          random: () => 0,
          uuid: () => '',
          budget: { left: 100_000 },
          evaluate: (evaluation: Evaluation) => evaluators.evaluate(evaluation),
        };
        const ours = await settle(async () => {
          const found = await compileExpression(source).evaluate(scope);
          if (found.kind !== 'value') throw new Error(found.kind);
          return found.value;
        });
        const theirs = await settle(async () => {
          const found = await jsonata(source).evaluate(undefined, { x });
          if (found === undefined) throw new Error('nothing');
          return found;
        });
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 3_000 },
    );
    expect(plain).toBeGreaterThan(1_000);
  }, 60_000);
});

describe("Step Functions' own functions", () => {
  it.each([
    ['$partition([1,2,3,4,5], 2)', [[1, 2], [3, 4], [5]]],
    ['$partition([1,2,3])', [[1, 2, 3]]],
    ['$partition([1,2,3,4,5], 2.9)', [[1, 2], [3, 4], [5]]],
    ['$partition(5, 2)', [[5]]],
    ['$partition([[1],[2]], 1)', [[[1]], [[2]]]],
    ['$range(1, 9, 2)', [1, 3, 5, 7, 9]],
    ['$range(0, 10, 3)', [0, 3, 6, 9]],
    ['$range(5, 1, -2)', [5, 3, 1]],
    // As the service was seen to answer: a sequence of one number is the number.
    ['$range(1, 9, 9)', 1],
    ['[$range(1, 9, 9)]', [1]],
    ['$count($range(1, 360145, 1))', 360_145],
    ['$range(-1.7, 2, 1)', [-1, 0, 1, 2]],
    ['$range(5, 1, -1.5)', [5, 4, 3, 2, 1]],
    ["$hash('a', 'SHA-256')", 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
    ["$hash('a', 'MD5')", '0cc175b9c0f1b6a831c399e269772661'],
    ['$parse(\'{"a":[1,2]}\').a', [1, 2]],
    ["$parse(' null ')", null],
    ["$hash('é', 'SHA-1')", 'bf15be717ac1b080b4f1c456692825891ff5073d'],
    ["$hash('a', 'SHA-384') = $hash('a', 'SHA-512')", false],
    ['$random(1) = $random(2)', false],
    // What the service draws from these seeds (java.util.Random).
    ['$random(42)', 0.7275636800328681],
    ['$random(0.9)', 0.730967787376657],
    ['$random(7)', 0.7306990420600421],
    // As the service writes what JSON has no number for.
    ['1 / 0', 'Infinity'],
    ['{"a": [-1 / 0, 0 / 0]}', { a: ['-Infinity', 'NaN'] }],
    [
      "$match($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/) ? 'uuid' : 'other'",
      'uuid',
    ],
    ['$millis()', Date.parse('2026-11-24T00:00:00Z')],
    ['$sum($states.input.list.n)', 6],
    ['$states.input.list[n > 1].n', [2, 3]],
  ])('%s', async (source, expected) => {
    const { run } = makeBench();
    const done = await run(machine({ P: { Type: 'Pass', Output: `{% ${source} %}`, End: true } }), {
      list: [{ n: 1 }, { n: 2 }, { n: 3 }],
    });
    expect(done.cause).toBeUndefined();
    expect(done.output).toEqual(expected);
  });

  it.each([
    '$partition([1], 0)',
    '$partition([1], -1)',
    '$partition([], 2)',
    '$partition(null, 2)',
    '$range(1, 360146, 1)',
    '$range(1, 5, 0)',
    '$range(1, 5)',
    '$range(1)',
    '$range(5, 1, 1)',
    "$range('1', 5, 1)",
    "$range(1, 5, 1, 'x')",
    "$random('a')",
    '$random(1, 2)',
    "$uuid('seed')",
    "$hash('a', 'md5')",
    "$hash('a', 5)",
    "$parse('')",
    "$parse('[1] [2]')",
    "$parse('1e400')",
    '$parse(null)',
    '$partition($nothing, 1)',
    "$hash('a', 'CRC')",
    "$hash('a')",
    "$hash(1, 'MD5')",
    "$hash($nothing, 'MD5')",
    "$parse('{')",
    '$parse(1)',
    '$parse($nothing)',
    '{"a": function($x){$x}}',
    '$sum',
    '{"a": $sum}',
    '/a/',
  ])('%s fails as a query', async (source) => {
    const { run } = makeBench();
    const done = await run(machine({ P: { Type: 'Pass', Output: `{% ${source} %}`, End: true } }));
    expect(done).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
  });
});
