/** What a question asked with a task token is answered, one after the other; the last answer stays. */
export type Answers = Readonly<
  Record<string, readonly ({ readonly returns: unknown } | { readonly throws: string } | 'silence')[]>
>;

/** A machine that several interpreters run. */
export interface Case {
  readonly name: string;
  /**
   * States without what only one dialect has. Instead of a Task's own fields a state has `{"call": "..."}` for a function,
   * `{"ask": "question"}` for a message with a task token, or `{"start": "child"}` for a machine whose end is waited for.
   */
  readonly states: Readonly<Record<string, Record<string, unknown>>>;
  readonly input?: unknown;
  /** What each call of a Task does, in order; the last one stays. */
  readonly calls?: Readonly<
    Record<string, readonly ({ readonly returns: unknown } | { readonly throws: string })[]>
  >;
  readonly answers?: Answers;
  /** Machines that others start, by name. */
  readonly children?: Readonly<Record<string, Case['states']>>;
  readonly more?: Record<string, unknown>;
}

const end = { End: true };
const pass = { Type: 'Pass', ...end };
const block = (states: Record<string, unknown>) => ({ StartAt: Object.keys(states)[0], States: states });

/** What the JSONPath and the JSONata dialects share: flow, failures, Retry, Catch, Parallel, Map. */
export const sharedCases: readonly Case[] = [
  {
    name: 'a chain of Pass states hands its input on',
    states: { A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'C' }, C: { Type: 'Succeed' } },
    input: { a: [1, { b: null }] },
  },
  { name: 'Fail has its own error and cause', states: { F: { Type: 'Fail', Error: 'Own', Cause: 'why' } } },
  { name: 'Wait for no time', states: { W: { Type: 'Wait', Seconds: 0, Next: 'P' }, P: pass }, input: 7 },
  {
    name: 'Parallel keeps the order of its branches',
    states: {
      P: {
        Type: 'Parallel',
        Branches: [block({ W: { Type: 'Wait', Seconds: 0, Next: 'A' }, A: pass }), block({ B: pass })],
        ...end,
      },
    },
    input: { x: 1 },
  },
  {
    name: 'a failing branch fails the Parallel',
    states: {
      P: {
        Type: 'Parallel',
        Branches: [block({ A: pass }), block({ F: { Type: 'Fail', Error: 'Branch', Cause: 'c' } })],
        ...end,
      },
    },
  },
  {
    name: 'a Parallel catches what its branch failed with',
    states: {
      P: {
        Type: 'Parallel',
        Branches: [block({ F: { Type: 'Fail', Error: 'Branch', Cause: 'c' } })],
        Catch: [{ ErrorEquals: ['Branch'], Next: 'C' }],
        ...end,
      },
      C: pass,
    },
  },
  {
    name: 'States.ALL catches a branch',
    states: {
      P: {
        Type: 'Parallel',
        Branches: [block({ F: { Type: 'Fail', Error: 'Branch', Cause: 'c' } })],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }],
        ...end,
      },
      C: pass,
    },
  },
  {
    name: 'Map runs over its input',
    states: { M: { Type: 'Map', ItemProcessor: block({ I: pass }), ...end } },
    input: [1, 'two', { three: 3 }],
  },
  {
    name: 'Map of nothing',
    states: { M: { Type: 'Map', ItemProcessor: block({ I: pass }), ...end } },
    input: [],
  },
  {
    name: 'a failing iteration fails the Map',
    states: {
      M: { Type: 'Map', ItemProcessor: block({ F: { Type: 'Fail', Error: 'Item', Cause: 'c' } }), ...end },
    },
    input: [1],
  },
  {
    name: 'a Map inside a Map',
    states: {
      M: {
        Type: 'Map',
        ItemProcessor: block({ N: { Type: 'Map', ItemProcessor: block({ I: pass }), ...end } }),
        ...end,
      },
    },
    input: [[1, 2], [3]],
  },
  {
    name: 'a Task gives its result',
    states: { T: { call: 'f', ...end } },
    calls: { T: [{ returns: { ok: true } }] },
  },
  {
    name: 'a Task is retried until it succeeds',
    states: {
      T: {
        call: 'f',
        Retry: [{ ErrorEquals: ['Flaky'], IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 1 }],
        ...end,
      },
    },
    calls: { T: [{ throws: 'Flaky' }, { throws: 'Flaky' }, { returns: 'at last' }] },
  },
  {
    name: 'retries run out',
    states: {
      T: { call: 'f', Retry: [{ ErrorEquals: ['Flaky'], IntervalSeconds: 1, MaxAttempts: 1 }], ...end },
    },
    calls: { T: [{ throws: 'Flaky' }] },
  },
  {
    name: 'the first fitting retrier counts',
    states: {
      T: {
        call: 'f',
        Retry: [
          { ErrorEquals: ['A'], MaxAttempts: 1, IntervalSeconds: 1 },
          { ErrorEquals: ['States.ALL'], MaxAttempts: 2, IntervalSeconds: 1 },
        ],
        ...end,
      },
    },
    calls: { T: [{ throws: 'A' }, { throws: 'B' }, { throws: 'B' }, { returns: 1 }] },
  },
  {
    name: 'MaxAttempts 0 never retries',
    states: {
      T: {
        call: 'f',
        Retry: [{ ErrorEquals: ['A'], MaxAttempts: 0 }],
        Catch: [{ ErrorEquals: ['A'], Next: 'C' }],
        ...end,
      },
      C: { Type: 'Succeed' },
    },
    calls: { T: [{ throws: 'A' }] },
  },
  {
    name: 'Catch comes after Retry',
    states: {
      T: {
        call: 'f',
        Retry: [{ ErrorEquals: ['A'], MaxAttempts: 1, IntervalSeconds: 1 }],
        Catch: [{ ErrorEquals: ['A'], Next: 'C' }],
        ...end,
      },
      C: pass,
    },
    calls: { T: [{ throws: 'A' }] },
  },
  {
    name: 'States.TaskFailed catches a Task’s own error',
    states: {
      T: { call: 'f', Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'C' }], ...end },
      C: { Type: 'Succeed' },
    },
    calls: { T: [{ throws: 'Own' }] },
  },
];

/** What only the JSONata dialect has; `$states.context` is left out where interpreters name things their own way. */
export const jsonataCases: readonly Case[] = [
  {
    name: 'Output with paths, objects and arrays',
    states: {
      P: {
        Type: 'Pass',
        Output: { a: '{% $states.input.x.y %}', b: ['{% $states.input.x.y + 1 %}', 'plain'] },
        ...end,
      },
    },
    input: { x: { y: 41 } },
  },
  {
    name: 'Assign and Output are evaluated side by side',
    states: {
      A: { Type: 'Pass', Assign: { n: 1 }, Next: 'B' },
      B: { Type: 'Pass', Assign: { n: '{% $n + 1 %}' }, Output: '{% $n %}', Next: 'C' },
      C: { Type: 'Pass', Output: ['{% $states.input %}', '{% $n %}'], ...end },
    },
  },
  {
    name: 'Choice: first true rule, with Assign and Output of its own',
    states: {
      C: {
        Type: 'Choice',
        Choices: [
          { Condition: '{% $states.input.n > 10 %}', Next: 'Big' },
          {
            Condition: '{% $states.input.n > 1 %}',
            Assign: { seen: 'middle' },
            Output: 'replaced',
            Next: 'Middle',
          },
        ],
        Default: 'Small',
      },
      Big: pass,
      Middle: { Type: 'Pass', Output: ['{% $states.input %}', '{% $seen %}'], ...end },
      Small: pass,
    },
    input: { n: 5 },
  },
  {
    name: 'Choice: Default',
    states: {
      C: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $states.input.n > 10 %}', Next: 'Big' }],
        Default: 'Small',
      },
      Big: pass,
      Small: { Type: 'Pass', Output: 'small', ...end },
    },
    input: { n: 5 },
  },
  {
    name: 'Choice without a fitting rule',
    states: {
      C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input.n > 10 %}', Next: 'Big' }] },
      Big: pass,
    },
    input: { n: 5 },
  },
  {
    name: 'an expression that gives nothing',
    states: { P: { Type: 'Pass', Output: '{% $states.input.nothing %}', ...end } },
  },
  {
    name: 'Fail with expressions',
    states: {
      F: {
        Type: 'Fail',
        Error: "{% 'E' & $states.input.n %}",
        Cause: "{% 'because of ' & $states.input.n %}",
      },
    },
    input: { n: 3 },
  },
  {
    name: 'Wait with an expression',
    states: { W: { Type: 'Wait', Seconds: '{% $states.input.n - 3 %}', Next: 'P' }, P: pass },
    input: { n: 3 },
  },
  {
    name: 'variables reach into branches, not out of them',
    states: {
      A: { Type: 'Pass', Assign: { outer: 'o' }, Next: 'P' },
      P: {
        Type: 'Parallel',
        Branches: [
          block({ B: { Type: 'Pass', Assign: { inner: 1 }, Output: "{% $outer & '1' %}", ...end } }),
          block({ C: { Type: 'Pass', Output: "{% $outer & '2' %}", ...end } }),
        ],
        ...end,
      },
    },
  },
  {
    name: 'Catch with Output and Assign',
    states: {
      P: {
        Type: 'Parallel',
        Branches: [block({ F: { Type: 'Fail', Error: 'Branch', Cause: 'c' } })],
        Catch: [
          {
            ErrorEquals: ['Branch'],
            Assign: { e: '{% $states.errorOutput.Error %}' },
            Output: { kept: '{% $states.input.x %}' },
            Next: 'C',
          },
        ],
        ...end,
      },
      C: { Type: 'Pass', Output: ['{% $e %}', '{% $states.input.kept %}'], ...end },
    },
    input: { x: 1 },
  },
  {
    name: 'Map with Items and ItemSelector',
    states: {
      M: {
        Type: 'Map',
        Items: '{% $states.input.list %}',
        ItemSelector: {
          v: '{% $states.context.Map.Item.Value %}',
          i: '{% $states.context.Map.Item.Index %}',
          o: '{% $states.input.other %}',
        },
        ItemProcessor: block({
          I: {
            Type: 'Pass',
            Output: '{% $states.input.o & $states.input.v & $string($states.input.i) %}',
            ...end,
          },
        }),
        ...end,
      },
    },
    input: { list: ['a', 'b'], other: 'x' },
  },
  {
    name: 'Parallel with Arguments and Output',
    states: {
      P: {
        Type: 'Parallel',
        Arguments: { n: '{% $states.input.n * 2 %}' },
        Branches: [block({ B: { Type: 'Pass', Output: '{% $states.input.n %}', ...end } })],
        Output: { sum: '{% $sum($states.result) %}' },
        ...end,
      },
    },
    input: { n: 4 },
  },
  {
    name: 'the service’s own functions',
    states: {
      P: {
        Type: 'Pass',
        Output: {
          p: '{% $partition([1,2,3], 2) %}',
          r: '{% $range(0, 6, 3) %}',
          h: "{% $hash('a', 'SHA-256') %}",
          j: '{% $parse(\'{"a":1}\').a %}',
        },
        ...end,
      },
    },
  },
  {
    name: 'a query that fails inside a Parallel is caught by name',
    states: {
      P: {
        Type: 'Parallel',
        Branches: [block({ B: { Type: 'Pass', Output: '{% $states.input.nothing %}', ...end } })],
        Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'C' }],
        ...end,
      },
      C: { Type: 'Pass', Output: 'caught', ...end },
    },
  },
  {
    name: 'JSONata beyond paths',
    states: { P: { Type: 'Pass', Output: '{% $states.input.list[n > 1].{"m": n * 2} %}', ...end } },
    input: { list: [{ n: 1 }, { n: 2 }, { n: 3 }] },
  },
];
