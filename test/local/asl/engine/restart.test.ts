import { describe, expect, it } from 'vitest';
import { SqliteJournal } from '../../../../local/asl/journal/sqlite.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { freshDir, invoke, machine, makeBench, midnight, waitForToken } from '../harness.ts';

const down = () => Object.assign(new Error('down'), { name: 'Down' });

/** Two processes, one after the other, over the same state directory. */
function twoProcesses() {
  const stateDir = freshDir();
  const clock = new VirtualClock(midnight);
  const open = (functions: Record<string, (payload: never) => unknown>) =>
    makeBench({ journal: new SqliteJournal({ stateDir }), clock, functions });
  return { open, clock };
}

describe('the engine after a restart', () => {
  it('what failed before can be redriven: finished branches and iterations stay finished', async () => {
    const { open } = twoProcesses();
    const definition = machine({
      P: {
        Type: 'Parallel',
        Branches: [
          { StartAt: 'G', States: { G: invoke('good', { End: true }) } },
          {
            StartAt: 'M',
            States: {
              M: {
                Type: 'Map',
                Items: [0, 1, 2],
                MaxConcurrency: 1,
                ItemProcessor: { StartAt: 'B', States: { B: invoke('bad', { End: true }) } },
                End: true,
              },
            },
          },
        ],
        End: true,
      },
    });
    const first = open({
      good: () => 'good',
      bad: (item: number) => {
        if (item === 1) throw down();
        return item;
      },
    });
    const failed = await first.run(definition);
    expect(failed.status).toBe('FAILED');
    await first.engine.close();

    const second = open({ good: () => 'again', bad: (item: number) => item });
    // The machine's file has changed meanwhile: the execution keeps the definition it began with.
    second.engine.registerMachine({ name: 'm', definition: machine({ X: { Type: 'Pass', End: true } }) });
    expect(second.engine.recover()).toBe(0);
    await second.engine.redriveExecution(failed.executionArn);
    const done = await second.until(failed.executionArn);
    expect(done).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1, output: ['good', [0, 1, 2]] });
    expect(second.calls.map((call) => call.payload)).toEqual([1, 2]);
    await second.engine.close();
  });

  it('failed children of a distributed Map are redriven, the others kept', async () => {
    const { open } = twoProcesses();
    const definition = machine({
      M: {
        Type: 'Map',
        Items: [0, 1, 2],
        ToleratedFailurePercentage: 20,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'B',
          States: { B: invoke('work', { End: true }) },
        },
        End: true,
      },
    });
    const first = open({
      work: (item: number) => {
        if (item === 2) throw down();
        return item;
      },
    });
    const failed = await first.run(definition);
    expect(failed).toMatchObject({ status: 'FAILED', error: 'States.ExceedToleratedFailureThreshold' });
    await first.engine.close();

    const second = open({ work: (item: number) => item });
    second.engine.recover();
    await second.engine.redriveExecution(failed.executionArn);
    expect(await second.until(failed.executionArn)).toMatchObject({ status: 'SUCCEEDED', output: [0, 1, 2] });
    expect(second.calls.map((call) => call.payload)).toEqual([2]);
    const [run] = await second.engine.listMapRuns(failed.executionArn);
    expect(run).toMatchObject({
      status: 'SUCCEEDED',
      redriveCount: 1,
      itemCounts: { succeeded: 3, failed: 0 },
    });
    await second.engine.close();
  });

  it('heartbeats, timeouts, retry pauses and the machine’s own timeout go on where they were', async () => {
    const { open, clock } = twoProcesses();
    const functions = {
      submit: () => ({}),
      flaky: () => {
        throw down();
      },
    };
    const first = open(functions);
    first.engine.registerMachine({
      name: 'token',
      definition: machine({
        T: waitForToken('submit', { TimeoutSeconds: 1000, HeartbeatSeconds: 100, End: true }),
      }),
    });
    first.engine.registerMachine({
      name: 'retry',
      definition: machine({
        T: invoke('flaky', {
          Retry: [{ ErrorEquals: ['Down'], IntervalSeconds: 300, MaxAttempts: 1 }],
          End: true,
        }),
      }),
    });
    first.engine.registerMachine({
      name: 'late',
      definition: machine({ W: { Type: 'Wait', Seconds: 9999, End: true } }, { TimeoutSeconds: 500 }),
    });
    const start = async (name: string) =>
      (await first.engine.startExecution({ machine: name, input: {} })).executionArn;
    const [token, retry, late] = [await start('token'), await start('retry'), await start('late')];
    await clock.advance(50_000);
    await first.engine.close();

    const second = open(functions);
    for (const name of ['token', 'retry', 'late'])
      second.engine.registerMachine({ name, definition: machine({ X: { Type: 'Pass', End: true } }) });
    expect(second.engine.recover()).toBe(3);
    expect(await second.until(token)).toMatchObject({
      error: 'States.HeartbeatTimeout',
      stopDate: '2026-11-24T00:01:40.000Z',
    });
    expect(await second.until(retry)).toMatchObject({ error: 'Down', stopDate: '2026-11-24T00:05:00.000Z' });
    expect(await second.until(late)).toMatchObject({
      status: 'TIMED_OUT',
      stopDate: '2026-11-24T00:08:20.000Z',
    });
    await second.engine.close();
  });
});
