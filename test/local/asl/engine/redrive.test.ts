import { describe, expect, it } from 'vitest';
import { invoke, machine, makeBench } from '../harness.ts';

const down = () => Object.assign(new Error('down'), { name: 'Down' });

describe('redrive', () => {
  it('continues at the failed state with the same input, variables and counters anew', async () => {
    let broken = true;
    const bench = makeBench({
      functions: {
        first: () => ({ n: 1 }),
        second: () => {
          if (broken) throw down();
          return 'ok';
        },
      },
    });
    const failed = await bench.run(
      machine({
        A: invoke('first', { Assign: { kept: 'yes' }, Next: 'B' }),
        B: invoke('second', {
          Retry: [{ ErrorEquals: ['Down'], MaxAttempts: 2 }],
          Output: { kept: '{% $kept %}', redrives: '{% $states.context.Execution.RedriveCount %}' },
          End: true,
        }),
      }),
    );
    expect(failed).toMatchObject({ status: 'FAILED', error: 'Down', redriveStatus: 'REDRIVABLE' });
    broken = false;
    await bench.engine.redriveExecution(failed.executionArn);
    const done = await bench.until(failed.executionArn);
    expect(done).toMatchObject({
      status: 'SUCCEEDED',
      redriveCount: 1,
      output: { kept: 'yes', redrives: 1 },
    });
    expect(bench.calls.map((call) => call.functionName)).toEqual([
      'first',
      'second',
      'second',
      'second',
      'second',
    ]);
    expect(await bench.types(failed.executionArn)).toContain('ExecutionRedriven');
  });

  it('runs failed and aborted branches again, finished ones not', async () => {
    let broken = true;
    const bench = makeBench({
      functions: {
        good: () => 'good',
        bad: async () => {
          await new Promise<void>((resolve) => bench.clock.setTimer(5000, resolve));
          if (broken) throw down();
          return 'mended';
        },
        slow: () => 'slow',
      },
    });
    const branch = (...states: [string, Record<string, unknown>][]) => ({
      StartAt: states[0]?.[0],
      States: Object.fromEntries(states),
    });
    const failed = await bench.run(
      machine({
        P: {
          Type: 'Parallel',
          Branches: [
            branch(['G', invoke('good', { End: true })]),
            branch(['B', invoke('bad', { End: true })]),
            branch(['W', { Type: 'Wait', Seconds: 60, Next: 'S' }], ['S', invoke('slow', { End: true })]),
          ],
          End: true,
        },
      }),
    );
    expect(failed.status).toBe('FAILED');
    broken = false;
    await bench.engine.redriveExecution(failed.executionArn);
    const done = await bench.until(failed.executionArn);
    expect(done.output).toEqual(['good', 'mended', 'slow']);
    expect(bench.calls.filter((call) => call.functionName === 'good')).toHaveLength(1);
  });

  it('runs the failed iterations of an inline Map again and starts those that were never begun', async () => {
    let broken = true;
    const bench = makeBench({
      functions: {
        f: (item: number) => {
          if (item === 1 && broken) throw down();
          return item;
        },
      },
    });
    const failed = await bench.run(
      machine({
        M: {
          Type: 'Map',
          Items: [0, 1, 2, 3],
          MaxConcurrency: 1,
          ItemProcessor: { StartAt: 'T', States: { T: invoke('f', { End: true }) } },
          End: true,
        },
      }),
    );
    expect(failed.status).toBe('FAILED');
    broken = false;
    await bench.engine.redriveExecution(failed.executionArn);
    expect((await bench.until(failed.executionArn)).output).toEqual([0, 1, 2, 3]);
    expect(bench.calls.map((call) => call.payload)).toEqual([0, 1, 1, 2, 3]);
  });

  it('keeps the definition the execution began with', async () => {
    let broken = true;
    const bench = makeBench({
      functions: {
        f: () => {
          if (broken) throw down();
          return 'old';
        },
      },
    });
    const failed = await bench.run(machine({ T: invoke('f', { End: true }) }));
    bench.engine.registerMachine({
      name: 'm',
      definition: machine({ T: { Type: 'Pass', Output: 'new', End: true } }),
    });
    broken = false;
    await bench.engine.redriveExecution(failed.executionArn);
    expect((await bench.until(failed.executionArn)).output).toBe('old');
  });

  it('a Fail state fails again', async () => {
    const bench = makeBench();
    const failed = await bench.run(machine({ F: { Type: 'Fail', Error: 'Always' } }));
    await bench.engine.redriveExecution(failed.executionArn);
    expect(await bench.until(failed.executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'Always',
      redriveCount: 1,
    });
  });

  it('of a stopped execution goes on where it stood', async () => {
    const bench = makeBench();
    bench.engine.registerMachine({
      name: 'm',
      definition: machine({ W: { Type: 'Wait', Seconds: 60, End: true } }),
    });
    const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: {} });
    await bench.engine.stopExecution(executionArn, { error: 'S', cause: 'c' });
    await bench.engine.redriveExecution(executionArn);
    expect((await bench.until(executionArn)).status).toBe('SUCCEEDED');
  });

  it.each([
    [
      'Parallel',
      { Type: 'Parallel', Branches: [{ StartAt: 'B', States: { B: invoke('f', { End: true }) } }] },
    ],
    [
      'Map',
      { Type: 'Map', Items: [1], ItemProcessor: { StartAt: 'B', States: { B: invoke('f', { End: true }) } } },
    ],
  ])(
    'of a %s that failed on leaving evaluates again what it leaves with, and runs nothing again',
    async (type, state) => {
      const bench = makeBench({ functions: { f: () => 'ran' } });
      // Fails in the first try only.
      const Output = '{% $states.context.Execution.RedriveCount > 0 ? $states.result : $nothing %}';
      const failed = await bench.run(machine({ S: { ...state, Output, End: true } }));
      expect(failed.error).toBe('States.QueryEvaluationError');
      await bench.engine.redriveExecution(failed.executionArn);
      expect(await bench.until(failed.executionArn)).toMatchObject({ status: 'SUCCEEDED', output: ['ran'] });
      expect(bench.calls, type).toHaveLength(1);
    },
  );

  it('F25: is refused when the history has 24,999 events, and after 1,000 redrives', async () => {
    const bench = makeBench();
    const long = await bench.run(
      machine({
        A: { Type: 'Pass', Next: 'B' },
        B: { Type: 'Choice', Choices: [{ Condition: true, Next: 'A' }], Default: 'C' },
        C: { Type: 'Fail' },
      }),
    );
    await expect(bench.engine.redriveExecution(long.executionArn)).rejects.toMatchObject({
      code: 'REDRIVE_NOT_ALLOWED',
      message: expect.stringMatching(/its history has 2\d{4} events; start a new run instead/),
    });
    const failed = await bench.run(machine({ F: { Type: 'Fail' } }));
    for (let redrive = 0; redrive < 1_000; redrive += 1)
      await bench.engine.redriveExecution(failed.executionArn).then(() => bench.until(failed.executionArn));
    await expect(bench.engine.redriveExecution(failed.executionArn)).rejects.toMatchObject({
      code: 'REDRIVE_NOT_ALLOWED',
      message: expect.stringContaining('1000 times'),
    });
    expect(await bench.engine.describeExecution(failed.executionArn)).toMatchObject({
      redriveStatus: 'NOT_REDRIVABLE',
    });
  });

  it('F25: is refused for what succeeded, what runs, what is older than 14 days and what does not exist', async () => {
    const bench = makeBench();
    const good = await bench.run(machine({ P: { Type: 'Pass', End: true } }));
    await expect(bench.engine.redriveExecution(good.executionArn)).rejects.toMatchObject({
      code: 'REDRIVE_NOT_ALLOWED',
      message: expect.stringContaining('succeeded'),
    });
    bench.engine.registerMachine({
      name: 'm',
      definition: machine({ W: { Type: 'Wait', Seconds: 60, End: true } }),
    });
    const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: {} });
    await expect(bench.engine.redriveExecution(executionArn)).rejects.toMatchObject({
      code: 'REDRIVE_NOT_ALLOWED',
      message: expect.stringContaining('still running'),
    });
    const failed = await bench.run(machine({ F: { Type: 'Fail' } }));
    await bench.clock.advance(15 * 86_400_000);
    await expect(bench.engine.redriveExecution(failed.executionArn)).rejects.toMatchObject({
      code: 'REDRIVE_NOT_ALLOWED',
      message: expect.stringContaining('14 days'),
    });
    await expect(
      bench.engine.redriveExecution('arn:aws:states:local:000000000000:execution:m:none'),
    ).rejects.toMatchObject({ code: 'EXECUTION_NOT_FOUND' });
  });
});
