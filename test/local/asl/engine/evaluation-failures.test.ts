import { describe, expect, it } from 'vitest';
import { SqliteJournal } from '../../../../local/asl/journal/sqlite.ts';
import { evaluators, freshDir, invoke, machine, makeBench } from '../harness.ts';

const end = { Type: 'Pass', End: true };
const block = (states: Record<string, unknown>) => ({ StartAt: Object.keys(states)[0], States: states });
const functions = { f: () => ({ n: 1 }), fails: () => Promise.reject(new Error('no')) };

/** The cause a state fails with, without the sentence that names the state. */
async function causeOf(state: Record<string, unknown>, input: unknown = {}): Promise<string | undefined> {
  const done = await makeBench({ functions }).run(machine({ S: state, N: end }), input);
  expect(done).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
  const [, cause] =
    /^An error occurred while executing the state 'S' \(entered at the event id #2\)\. (.*)$/s.exec(
      done.cause ?? '',
    ) ?? [];
  return cause;
}

const says = (expression: string, field: string, what: string) =>
  `The JSONata expression '${expression}' specified for the field '${field}' ${what}`;
const nothing = 'returned nothing (undefined).';
const unsupported = 'returned an unsupported result type.';
const wrong = (expected: string, was: string, value: string) =>
  `returned an unexpected result type. Expected '${expected}', but was '${was}' for value: ${value}`;

describe('the cause of a failed evaluation', () => {
  const missing = '$states.input.missing';
  const pass = (more: Record<string, unknown>) => ({ Type: 'Pass', ...more, Next: 'N' });
  const task = (more: Record<string, unknown>) => invoke('f', { ...more, Next: 'N' });
  const map = (more: Record<string, unknown>) => ({
    Type: 'Map',
    ItemProcessor: block({ P: end }),
    ...more,
    Next: 'N',
  });

  it.each([
    ['nothing', pass({ Output: `{% ${missing} %}` }), says(missing, 'Output', nothing)],
    [
      'nothing, deep',
      pass({ Output: { a: { b: [[1, `{% ${missing} %}`]] } } }),
      says(missing, 'Output/a/b[0][1]', nothing),
    ],
    [
      'nothing, from the library',
      pass({ Output: "{% $lookup({}, 'a') %}" }),
      says("$lookup({}, 'a')", 'Output', nothing),
    ],
    [
      'nothing, in Assign',
      pass({ Assign: { x: { y: `{% ${missing} %}` } } }),
      says(missing, 'Assign/x/y', nothing),
    ],
    [
      'an error with a code',
      pass({ Output: { v: "{% $sum(['a']) %}" } }),
      says(
        "$sum(['a'])",
        'Output/v',
        'threw an error during evaluation. T0412: Argument 1 of function "sum" must be an array of "numbers"',
      ),
    ],
    [
      'a signature',
      pass({ Output: "{% $abs('x') %}" }),
      says(
        "$abs('x')",
        'Output',
        'threw an error during evaluation. T0410: Argument 1 of function "abs" does not match function signature',
      ),
    ],
    [
      'types that do not compare',
      pass({ Output: "{% 1 < 'a' %}" }),
      says(
        "1 < 'a'",
        'Output',
        'threw an error during evaluation. T2009: The values 1 and "a" either side of operator "<" must be of the same data type',
      ),
    ],
    [
      'a function of the service',
      pass({ Output: "{% $parse('{') %}" }),
      expect.stringContaining('threw an error during evaluation. D3137: Invalid JSON'),
    ],
    [
      "the definition's own error",
      pass({ Output: "{% $error('mine') %}" }),
      says("$error('mine')", 'Output', 'threw an error during evaluation. D3137: mine'),
    ],
    [
      'a limit',
      pass({ Output: '{% [1..900000] ~> $count() %}' }),
      says(
        '[1..900000] ~> $count()',
        'Output',
        'threw an error during evaluation: Expression evaluation memory limit exceeded: Check for excessive memory usage',
      ),
    ],
    ['a function as a result', pass({ Output: '{% $sum %}' }), says('$sum', 'Output', unsupported)],
    [
      'a function inside a result',
      pass({ Output: '{% [{"a": function($x){$x}}] %}' }),
      says('[{"a": function($x){$x}}]', 'Output', unsupported),
    ],
    [
      'Arguments',
      task({ Arguments: { FunctionName: `{% ${missing} %}` } }),
      says(missing, 'Arguments/FunctionName', nothing),
    ],
    [
      'TimeoutSeconds',
      task({ TimeoutSeconds: "{% 'x' %}" }),
      says("'x'", 'TimeoutSeconds', wrong('number', 'string', '"x"')),
    ],
    [
      'TimeoutSeconds out of bounds',
      task({ TimeoutSeconds: '{% 0 %}' }),
      says(
        '0',
        'TimeoutSeconds',
        'returned a value that is not allowed: it must be a whole number from 1 to 99999999, not 0',
      ),
    ],
    [
      'Seconds',
      { Type: 'Wait', Seconds: '{% null %}', Next: 'N' },
      says('null', 'Seconds', wrong('number', 'null', 'null')),
    ],
    [
      'Timestamp',
      { Type: 'Wait', Timestamp: '{% 1 %}', Next: 'N' },
      says('1', 'Timestamp', wrong('string', 'number', '1')),
    ],
    ['Items', map({ Items: "{% 'abc' %}" }), says("'abc'", 'Items', wrong('array', 'string', '"abc"'))],
    [
      'MaxConcurrency',
      map({ MaxConcurrency: '{% [] %}' }),
      says('[]', 'MaxConcurrency', wrong('number', 'array', '[]')),
    ],
    [
      'ItemSelector',
      map({ Items: [1], ItemSelector: { a: `{% ${missing} %}` } }),
      says(missing, 'ItemSelector/a', nothing),
    ],
    [
      'a Condition',
      {
        Type: 'Choice',
        Choices: [
          { Condition: false, Next: 'N' },
          { Condition: '{% 1 %}', Next: 'N' },
        ],
      },
      says('1', 'Choices[1]/Condition', wrong('boolean', 'number', '1')),
    ],
    [
      'the Output of a rule',
      { Type: 'Choice', Choices: [{ Condition: true, Output: { v: `{% ${missing} %}` }, Next: 'N' }] },
      says(missing, 'Choices[0]/Output/v', nothing),
    ],
    [
      'the Output of a catcher',
      invoke('fails', {
        Catch: [
          { ErrorEquals: ['E'], Next: 'N' },
          { ErrorEquals: ['States.ALL'], Output: { v: `{% ${missing} %}` }, Next: 'N' },
        ],
        Next: 'N',
      }),
      says(missing, 'Catch[1]/Output/v', nothing),
    ],
    [
      'the Output of a Parallel',
      { Type: 'Parallel', Branches: [block({ B: end })], Output: `{% ${missing} %}`, Next: 'N' },
      says(missing, 'Output', nothing),
    ],
  ])('says of %s what the service says', async (_, state, cause) => {
    expect(await causeOf(state)).toEqual(cause);
  });

  it('says of a Fail, which nothing follows, what the service says', async () => {
    const done = await makeBench().run(machine({ S: { Type: 'Fail', Error: '{% 1 %}' } }));
    expect(done.cause).toBe(
      `An error occurred while executing the state 'S' (entered at the event id #2). ${says('1', 'Error', wrong('string', 'number', '1'))}`,
    );
  });

  it('names the event that entered the state where it is not the second, and reaches the catcher', async () => {
    const done = await makeBench({ functions }).run(
      machine({
        A: { Type: 'Pass', Next: 'S' },
        S: invoke('f', {
          Output: '{% $states.result.missing %}',
          Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'C' }],
          Next: 'C',
        }),
        C: end,
      }),
    );
    expect(done.output).toEqual({
      Error: 'States.QueryEvaluationError',
      Cause: `An error occurred while executing the state 'S' (entered at the event id #4). ${says('$states.result.missing', 'Output', nothing)}`,
    });
  });

  it('shows no value that would be too long, and is cut where the service cuts it', async () => {
    const long = 'x'.repeat(20_000);
    const cause = await causeOf({ Type: 'Wait', Seconds: '{% $states.input %}', Next: 'N' }, { long });
    expect(cause).toContain("but was 'object' for value: (too long to be shown)");
    const source = `$length('${'y'.repeat(40_000)}', 1)`;
    const done = await makeBench().run(machine({ S: { ...end, Output: `{% ${source} %}` } }));
    expect(done.cause).toHaveLength(32_768);
  });
});

describe('EvaluationFailed', () => {
  it('is recorded once, in the state it happened in, however many Maps and Parallels are around it', async () => {
    const bench = makeBench();
    const inner = { Type: 'Pass', Output: '{% $states.input.missing %}', End: true };
    const done = await bench.run(
      machine({
        M: {
          Type: 'Map',
          Items: [1],
          ItemProcessor: block({ P: { Type: 'Parallel', Branches: [block({ S: inner })], End: true } }),
          End: true,
        },
      }),
    );
    const events = await bench.engine.getExecutionHistory(done.executionArn, { limit: 100 });
    const failed = events.filter(({ type }) => type === 'EvaluationFailed');
    expect(failed.map((event) => event['evaluationFailedEventDetails'])).toEqual([
      { error: 'States.QueryEvaluationError', cause: done.cause, location: 'Output', state: 'S' },
    ]);
    expect(done.cause).toContain("the state 'S' (entered at the event id #7).");
  });

  it('is not recorded for a Task that fails with that name', async () => {
    const error = Object.assign(new Error('c'), { name: 'States.QueryEvaluationError' });
    const bench = makeBench({ functions: { f: () => Promise.reject(error) } });
    const done = await bench.run(machine({ T: invoke('f', { End: true }) }));
    expect(done.error).toBe('States.QueryEvaluationError');
    expect(await bench.types(done.executionArn)).not.toContain('EvaluationFailed');
  });

  it('belongs to the Map for an ItemSelector', async () => {
    const bench = makeBench();
    const done = await bench.run(
      machine({
        M: {
          Type: 'Map',
          Items: [1],
          ItemSelector: '{% $nothing %}',
          ItemProcessor: block({ P: end }),
          End: true,
        },
      }),
    );
    expect(done.cause).toContain("the state 'M' (entered at the event id #2)");
  });
});

describe('an evaluation under way when the process ends', () => {
  it('is done again, and its state is not entered twice', async () => {
    const stateDir = freshDir();
    const definition = machine({
      S: {
        ...invoke('f', { Arguments: { FunctionName: '{% $sum(["a"]) %}' } }),
        Catch: [
          {
            ErrorEquals: ['States.ALL'],
            Output: '{% $sum([$length($states.errorOutput.Cause), 0]) %}',
            Next: 'N',
          },
        ],
        Next: 'N',
      },
      N: end,
    });
    let asked = 0;
    const { promise: held, resolve: hold } = Promise.withResolvers<void>();
    const first = makeBench({
      journal: new SqliteJournal({ stateDir }),
      options: {
        evaluators: {
          // The second evaluation, the catcher's, never ends in the first process.
          evaluate: (evaluation) => {
            asked += 1;
            if (asked === 1) return evaluators.evaluate(evaluation);
            hold();
            return new Promise(() => {});
          },
          close: () => {},
        },
      },
    });
    first.engine.registerMachine({ name: 'm', definition });
    const { executionArn } = await first.engine.startExecution({ machine: 'm', input: {} });
    await held;
    await first.engine.close();
    const second = makeBench({ journal: new SqliteJournal({ stateDir }) });
    second.engine.registerMachine({ name: 'm', definition });
    second.engine.recover();
    const done = await second.until(executionArn);
    expect(done.status).toBe('SUCCEEDED');
    expect(await second.types(executionArn)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'EvaluationFailed',
      'TaskStateExited',
      'PassStateEntered',
      'PassStateExited',
      'ExecutionSucceeded',
    ]);
  });
});
