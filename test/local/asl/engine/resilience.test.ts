import { describe, expect, it } from 'vitest';
import { EpsilonError } from '../../../../lib/errors/epsilon-error.ts';
import { Deadlines } from '../../../../local/asl/engine/deadlines.ts';
import type { Journal } from '../../../../local/asl/journal/journal.ts';
import { MemoryJournal } from '../../../../local/asl/journal/memory.ts';
import { SqliteJournal } from '../../../../local/asl/journal/sqlite.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { freshDir, invoke, machine, makeBench, midnight, waitForToken } from '../harness.ts';

const oneTask = machine({ T: invoke('f', { End: true }) });

describe('a listener that throws', () => {
  it('on a status change is reported, and neither starts, calls nor other listeners miss anything', async () => {
    const { run, engine, faults, calls } = makeBench({ functions: { f: () => 1 } });
    const heard: unknown[] = [];
    engine.onStatusChange(() => {
      throw new Error('broken listener');
    });
    engine.onStatusChange((detail) => heard.push(detail['status']));

    const done = await run(oneTask).catch((error: unknown) => error);

    expect(done).toMatchObject({ status: 'SUCCEEDED' });
    expect(heard).toEqual(['RUNNING', 'SUCCEEDED']);
    expect(calls).toHaveLength(1);
    expect(faults.map(({ message }) => message)).toEqual(['broken listener', 'broken listener']);
  });

  it('on a history event leaves the history whole', async () => {
    const { run, engine, types } = makeBench({ functions: { f: () => 1 } });
    let heard = 0;
    engine.onHistoryEvent(() => {
      heard += 1;
      if (heard === 2) throw new Error('broken listener');
    });

    const done = await run(oneTask);

    expect(await types(done.executionArn)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
  });
});

describe('a step that breaks', () => {
  it('ends its own execution with States.Runtime; the others go on', async () => {
    const { engine, until, faults } = makeBench({
      options: {
        mock: (state) => {
          if (state === 'T') throw new Error('broken mock');
          return { Return: 1 };
        },
      },
    });
    engine.registerMachine({ name: 'broken', definition: oneTask });
    engine.registerMachine({
      name: 'fine',
      definition: machine({ U: invoke('f', { Output: 1, End: true }) }),
    });

    const broken = await engine.startExecution({ machine: 'broken', input: {} });
    const fine = await engine.startExecution({ machine: 'fine', input: {} });

    expect(await engine.settled(broken.executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: expect.stringContaining('broken mock'),
      redriveStatus: 'REDRIVABLE',
    });
    expect(await until(fine.executionArn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(faults).toHaveLength(1);
  });
});

describe('a redrive in the same turn as the stop', () => {
  it('goes on from the recorded end: no event is lost, and an answer that was acknowledged stays', async () => {
    const { engine, clock, calls, until } = makeBench({
      journal: new SqliteJournal({ stateDir: freshDir() }),
      functions: { g: () => ({}) },
    });
    engine.registerMachine({
      name: 'm',
      definition: machine({ A: waitForToken('g', { Next: 'B' }), B: waitForToken('g', { End: true }) }),
    });
    const { executionArn } = await engine.startExecution({ machine: 'm', input: {} });
    await clock.advance(0);
    const tokenOf = (index: number) =>
      (calls[index] as { payload: unknown } as { payload: { token: string } }).payload.token;

    await Promise.all([
      engine.sendTaskSuccess(tokenOf(0), 'first'),
      engine.stopExecution(executionArn, { error: 'Operator', cause: 'stop' }),
      engine.redriveExecution(executionArn),
    ]);
    await clock.advance(0);
    await engine.sendTaskSuccess(tokenOf(1), 'second');

    expect(await until(executionArn)).toMatchObject({
      status: 'SUCCEEDED',
      output: 'second',
      redriveCount: 1,
    });
    const history = await engine.getExecutionHistory(executionArn);
    expect(history.map(({ id }) => id)).toEqual(history.map((_, index) => index + 1));
    expect(history.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
      'ExecutionAborted',
      'ExecutionRedriven',
      'TaskSucceeded',
      'TaskStateExited',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    expect(calls).toHaveLength(2);
    await engine.close();
  });
});

describe('a full disk', () => {
  it('is tried again by one timer however much happens meanwhile, and loses nothing', async () => {
    const inner = new MemoryJournal();
    let full = false;
    let refused = 0;
    const journal = Object.create(inner) as Journal;
    for (const name of [
      'open',
      'openMapRuns',
      'execution',
      'definition',
      'stored',
      'events',
      'highestKey',
    ] as const)
      Object.defineProperty(journal, name, {
        value: (inner[name] as (...args: never[]) => unknown).bind(inner),
      });
    journal.write = (batch) => {
      if (full) {
        refused += 1;
        throw new EpsilonError('DISK_FULL', 'full');
      }
      inner.write(batch);
    };
    const { engine, clock, calls, until } = makeBench({ journal, functions: { f: () => 1, g: () => ({}) } });
    engine.registerMachine({
      name: 'm',
      definition: machine({
        A: waitForToken('g', { TimeoutSeconds: 50_000, Next: 'B' }),
        B: invoke('f', { End: true }),
      }),
    });
    const started = await Promise.all(
      [1, 2, 3, 4].map((n) => engine.startExecution({ machine: 'm', input: { n } })),
    );
    await clock.advance(0);
    full = true;

    const told: number[] = [];
    for (const [index, { payload }] of [...calls].entries()) {
      const { token } = payload as unknown as { token: string };
      void engine.sendTaskSuccess(token, {}).then(() => told.push(index));
      await clock.advance(0);
    }
    const before = refused;
    await clock.advance(10_000);

    expect(refused - before).toBeLessThanOrEqual(10);
    expect(told).toEqual([]);
    full = false;
    await clock.advance(1_000);
    expect(told).toHaveLength(4);
    for (const { executionArn } of started)
      expect(await until(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('deadlines', () => {
  it('of Tasks that are over are not kept until they would have been due', async () => {
    const { engine, clock, until } = makeBench({ functions: { f: () => 1 } });
    engine.registerMachine({
      name: 'm',
      definition: machine(
        { T: invoke('f', { TimeoutSeconds: 86_400, End: true }) },
        { TimeoutSeconds: 90_000 },
      ),
    });

    for (let run = 0; run < 3; run += 1) {
      const { executionArn } = await engine.startExecution({ machine: 'm', input: {} });
      await until(executionArn);
    }

    expect(clock.pending).toBe(0);
  });

  it('fire in order and only when not called off, also after a sweep', async () => {
    const clock = new VirtualClock(midnight);
    const deadlines = new Deadlines(clock);
    const fired: number[] = [];
    const timers = Array.from({ length: 500 }, (_, index) => {
      const at = (index * 7_919) % 500;
      return { at, timer: deadlines.add(midnight + at, () => fired.push(at)) };
    });

    for (const { at, timer } of timers) if (at % 5 !== 0) timer.cancel();
    expect(deadlines.size).toBeLessThan(250);
    await clock.advance(500);

    expect(fired).toEqual(Array.from({ length: 100 }, (_, index) => index * 5));
    expect(clock.pending).toBe(0);
  });
});

describe('an expression', () => {
  const evaluate = (expression: string) =>
    makeBench().run(machine({ P: { Type: 'Pass', Output: `{% ${expression} %}`, End: true } }));

  it.each([
    ['calls itself for ever', '($f := function() { $f() }; $f())', /timeout: Check for infinite loop/],
    ['nests without end', '($f := function($n) { 1 + $f($n + 1) }; $f(1))', /Stack overflow/],
  ])('that %s fails as a query instead of stopping the process', async (_, expression, cause) => {
    expect(await evaluate(expression)).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringMatching(cause),
    });
  });

  it.each([
    ['$now()', '2026-11-24T00:00:00.000Z'],
    ["$now('[Y0001]-[M01]-[D01]')", '2026-11-24'],
    ["$now('[H01]:[m01]', '+0200')", '02:00'],
    ['$fromMillis($millis())', '2026-11-24T00:00:00.000Z'],
  ])('reads the time of the clock it is given: %s', async (expression, expected) => {
    expect((await evaluate(expression)).output).toBe(expected);
  });

  it('is evaluated side by side without one evaluation seeing the values of another', async () => {
    const items = Array.from({ length: 30 }, (_, index) => index);
    const done = await makeBench().run(
      machine({
        M: {
          Type: 'Map',
          Items: items,
          ItemProcessor: {
            StartAt: 'P',
            States: { P: { Type: 'Pass', Output: '{% $sum([$states.input, 1]) %}', End: true } },
          },
          End: true,
        },
      }),
    );
    expect(done.output).toEqual(items.map((item) => item + 1));
  });
});

describe('values that the service refuses', () => {
  it.each([
    [
      'a Fail whose Error is no text',
      { Type: 'Fail', Error: '{% {"a": 1} %}' },
      /field .Error. returned an unexpected result type. Expected .string., but was .object./,
    ],
    ['a Wait of half a second', { Type: 'Wait', Seconds: '{% 0.5 %}', End: true }, /whole number/],
    [
      'a Timestamp without a time',
      { Type: 'Wait', Timestamp: "{% '2027-01-01' %}", End: true },
      /ISO-8601 .*: 2027-01-01$/,
    ],
  ])('%s fails as a query', async (_, state, cause) => {
    const done = await makeBench().run(machine({ S: state }));
    expect(done).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringMatching(cause),
    });
  });

  it('more than 256 KiB of variables at once is too large', async () => {
    const big = "{% $join($map([1..1000], function() { $pad('a', 300) })) %}";
    const done = await makeBench().run(
      machine({ S: { Type: 'Pass', Assign: { big }, Output: 1, End: true } }),
    );
    expect(done).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});
