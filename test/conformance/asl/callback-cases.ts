import type { Case } from './cases.ts';

const end = { End: true };
const block = (states: Record<string, unknown>) => ({ StartAt: Object.keys(states)[0], States: states });
const caught = { Type: 'Pass', Output: ['caught', '{% $states.input.Error %}'], ...end };
const distributed = (states: Record<string, unknown>) => ({
  ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
  ...block(states),
});

/** Tokens handed out through a queue and answered from outside. */
const tokenCases: readonly Case[] = [
  {
    name: 'a token is answered with an object',
    states: { T: { ask: 'q', Next: 'P' }, P: { Type: 'Pass', Output: '{% $states.input.a %}', ...end } },
    answers: { q: [{ returns: { a: [1, null] } }] },
  },
  {
    name: 'the answer of a token is a result for Output and Assign',
    states: {
      T: {
        ask: 'q',
        Assign: { kept: '{% $states.result %}' },
        Output: { in: '{% $states.input.n %}' },
        Next: 'P',
      },
      P: { Type: 'Pass', Output: ['{% $states.input %}', '{% $kept %}'], ...end },
    },
    input: { n: 1 },
    answers: { q: [{ returns: 'text' }] },
  },
  {
    name: 'a token that is failed ends the execution with its error',
    states: { T: { ask: 'q', ...end } },
    answers: { q: [{ throws: 'Own' }] },
  },
  {
    name: 'a token that is failed is caught by name',
    states: { T: { ask: 'q', Catch: [{ ErrorEquals: ['Own'], Next: 'C' }], ...end }, C: caught },
    answers: { q: [{ throws: 'Own' }] },
  },
  {
    name: 'a token that is failed is caught by States.TaskFailed',
    states: {
      T: { ask: 'q', Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'C' }], ...end },
      C: caught,
    },
    answers: { q: [{ throws: 'Own' }] },
  },
  {
    name: 'a question is asked again when its answer is retried',
    states: {
      T: { ask: 'q', Retry: [{ ErrorEquals: ['Busy'], MaxAttempts: 2, IntervalSeconds: 1 }], ...end },
    },
    answers: { q: [{ throws: 'Busy' }, { throws: 'Busy' }, { returns: 'at last' }] },
  },
  {
    name: 'retries of a token run out, then it is caught',
    states: {
      T: {
        ask: 'q',
        Retry: [{ ErrorEquals: ['Busy'], MaxAttempts: 1, IntervalSeconds: 1 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }],
        ...end,
      },
      C: caught,
    },
    answers: { q: [{ throws: 'Busy' }] },
  },
  {
    name: 'a token without an answer is States.Timeout',
    states: { T: { ask: 'q', TimeoutSeconds: 1, ...end } },
    answers: { q: ['silence'] },
  },
  {
    name: 'a token without an answer is caught by States.Timeout',
    states: {
      T: {
        ask: 'q',
        TimeoutSeconds: 1,
        Catch: [
          { ErrorEquals: ['Own'], Next: 'N' },
          { ErrorEquals: ['States.Timeout'], Next: 'C' },
        ],
        Next: 'N',
      },
      N: { Type: 'Fail' },
      C: caught,
    },
    answers: { q: ['silence'] },
  },
  {
    name: 'branches wait for tokens of their own',
    states: {
      P: {
        Type: 'Parallel',
        Branches: [block({ A: { ask: 'a', ...end } }), block({ B: { ask: 'b', ...end } })],
        ...end,
      },
    },
    answers: { a: [{ returns: 1 }], b: [{ returns: 2 }] },
  },
  {
    name: 'a token that is failed in a branch fails the Parallel',
    states: {
      P: {
        Type: 'Parallel',
        Branches: [block({ A: { ask: 'a', ...end } }), block({ B: { Type: 'Pass', ...end } })],
        Catch: [{ ErrorEquals: ['Own'], Next: 'C' }],
        ...end,
      },
      C: caught,
    },
    answers: { a: [{ throws: 'Own' }] },
  },
  {
    name: 'every iteration waits for a token',
    states: {
      M: { Type: 'Map', Items: [1, 2, 3], ItemProcessor: block({ I: { ask: 'i', ...end } }), ...end },
    },
    answers: { i: [{ returns: 'same' }] },
  },
];

/** Machines that start machines and wait for their end. */
const childCases: readonly Case[] = [
  {
    name: 'a machine gives its output to the one that started it',
    states: { S: { start: 'child', ...end } },
    children: { child: { P: { Type: 'Pass', Output: { got: '{% $states.input %}' }, ...end } } },
    input: { n: 1 },
  },
  {
    name: 'a machine that fails is States.TaskFailed for the one that started it',
    states: {
      S: { start: 'child', Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'C' }], ...end },
      C: caught,
    },
    children: { child: { F: { Type: 'Fail', Error: 'Own', Cause: 'c' } } },
  },
  {
    name: 'a machine that waits for a token is waited for',
    states: { S: { start: 'child', ...end } },
    children: { child: { T: { ask: 'q', ...end } } },
    answers: { q: [{ returns: 'told' }] },
  },
];

const item = (states: Record<string, unknown>, more: Record<string, unknown> = {}): Case['states'] => ({
  M: { Type: 'Map', ItemProcessor: distributed(states), ...end, ...more },
});
const odd = {
  Odd: { Type: 'Choice', Choices: [{ Condition: '{% $states.input % 2 = 1 %}', Next: 'F' }], Default: 'P' },
  F: { Type: 'Fail', Error: 'Odd' },
  P: { Type: 'Pass', ...end },
};

/** Distributed Maps over the state's input. */
const distributedCases: readonly Case[] = [
  {
    name: 'children of a distributed Map keep the order',
    states: item({ P: { Type: 'Pass', ...end } }),
    input: [3, 1, 2],
  },
  { name: 'one failed child fails a distributed Map', states: item(odd), input: [2, 1] },
  {
    name: 'more than the tolerated count',
    states: item(odd, { ToleratedFailureCount: 1 }),
    input: [1, 3, 4],
  },
  {
    name: 'more than the tolerated percentage',
    states: item(odd, { ToleratedFailurePercentage: 50 }),
    input: [1, 3, 4],
  },
  {
    name: 'within the tolerated count and percentage',
    states: item(odd, { ToleratedFailureCount: 1, ToleratedFailurePercentage: 50, Output: 'done' }),
    input: [1, 2],
  },
  {
    name: 'a distributed Map that exceeds its threshold is caught by name',
    states: {
      ...item(odd, { Catch: [{ ErrorEquals: ['States.ExceedToleratedFailureThreshold'], Next: 'C' }] }),
      C: caught,
    },
    input: [1],
  },
  {
    name: 'children of a distributed Map wait for tokens',
    states: item({ T: { ask: 'q', ...end } }),
    input: [1, 2],
    answers: { q: [{ returns: 'same' }] },
  },
];

/** What waits for somebody else: tokens, machines, children of distributed Maps. */
export const callbackCases: readonly Case[] = [...tokenCases, ...childCases, ...distributedCases];
