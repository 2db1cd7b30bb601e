import { describe, expect, it } from 'vitest';
import { invoke, machine, makeBench, waitForToken } from '../harness.ts';

const boom = (name: string, message = 'no') => Object.assign(new Error(message), { name });

describe('Pass, Choice, Wait, Succeed, Fail', () => {
  it('evaluate Output and Assign side by side: Output sees the variables from before', async () => {
    const { run } = makeBench();
    const done = await run(
      machine({
        A: { Type: 'Pass', Assign: { n: 1 }, Next: 'B' },
        B: { Type: 'Pass', Assign: { n: '{% $n + 1 %}' }, Output: { before: '{% $n %}' }, Next: 'C' },
        C: { Type: 'Pass', Output: { before: '{% $states.input.before %}', after: '{% $n %}' }, End: true },
      }),
    );
    expect(done.output).toEqual({ before: 1, after: 2 });
  });

  it.each([
    [{ n: 5 }, 'many', undefined],
    [{ n: 1 }, 'few', 'from the rule'],
    [{ n: -1 }, 'other', undefined],
  ])('Choice takes the first rule that is true: %j goes to %s', async (input, output, assigned) => {
    const { run } = makeBench();
    const end = (value: string) => ({
      Type: 'Pass',
      Output: { value, assigned: '{% $exists($note) ? $note : null %}' },
      End: true,
    });
    const done = await run(
      machine({
        C: {
          Type: 'Choice',
          Choices: [
            { Condition: '{% $states.input.n > 3 %}', Next: 'Many' },
            {
              Condition: '{% $states.input.n > 0 %}',
              Assign: { note: 'from the rule' },
              Output: 'replaced',
              Next: 'Few',
            },
          ],
          Default: 'Other',
        },
        Many: end('many'),
        Few: end('few'),
        Other: end('other'),
      }),
      input,
    );
    expect(done.output).toEqual({ value: output, assigned: assigned ?? null });
  });

  it.each([
    ['no rule met and no Default', '{% $states.input.n > 3 %}', 'States.NoChoiceMatched'],
    ['a Condition that is no boolean', '{% $states.input.n %}', 'States.QueryEvaluationError'],
  ])('Choice fails on %s', async (_, Condition, error) => {
    const { run } = makeBench();
    const done = await run(
      machine({ C: { Type: 'Choice', Choices: [{ Condition, Next: 'D' }] }, D: { Type: 'Succeed' } }),
      { n: 1 },
    );
    expect(done).toMatchObject({ status: 'FAILED', error });
  });

  it.each([
    [{ Seconds: 7200 }, '2026-11-24T02:00:00.000Z'],
    [{ Seconds: '{% $states.input.wait %}' }, '2026-11-24T00:01:30.000Z'],
    [{ Timestamp: '2026-11-25T00:00:00Z' }, '2026-11-25T00:00:00.000Z'],
    [{ Timestamp: '2020-01-01T00:00:00Z' }, '2026-11-24T00:00:00.000Z'],
  ])('Wait %j ends at %s', async (wait, stopDate) => {
    const { run } = makeBench();
    const done = await run(machine({ W: { Type: 'Wait', ...wait, End: true } }), { wait: 90 });
    expect(done).toMatchObject({ status: 'SUCCEEDED', stopDate });
  });

  it('Fail ends the execution with its own error and cause', async () => {
    const { run, types } = makeBench();
    const done = await run(
      machine({ F: { Type: 'Fail', Error: 'TooBad', Cause: "{% 'because of ' & $states.input.why %}" } }),
      { why: 'rain' },
    );
    expect(done).toMatchObject({ status: 'FAILED', error: 'TooBad', cause: 'because of rain' });
    expect(await types(done.executionArn)).toEqual([
      'ExecutionStarted',
      'FailStateEntered',
      'ExecutionFailed',
    ]);
  });

  it('an expression that gives nothing fails with States.QueryEvaluationError and an EvaluationFailed event', async () => {
    const { run, types } = makeBench();
    const done = await run(
      machine({ P: { Type: 'Pass', Output: '{% $states.input.missing %}', End: true } }),
    );
    expect(done).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining('$states.input.missing'),
    });
    expect(await types(done.executionArn)).toContain('EvaluationFailed');
  });

  it('the context holds execution, state, machine', async () => {
    const { run } = makeBench();
    const done = await run(machine({ P: { Type: 'Pass', Output: '{% $states.context %}', End: true } }), {
      a: 1,
    });
    // A state without Retry has no count of retries.
    expect(done.output).toEqual({
      Execution: {
        RoleArn: expect.any(String),
        Id: done.executionArn,
        Input: { a: 1 },
        Name: done.name,
        RedriveCount: 0,
        StartTime: '2026-11-24T00:00:00.000Z',
      },
      State: { EnteredTime: '2026-11-24T00:00:00.000Z', Name: 'P' },
      StateMachine: { Name: 'm', Id: 'arn:aws:states:local:000000000000:stateMachine:m' },
    });
  });
});

describe('Task', () => {
  it('gives the function its payload and the state the service-shaped result', async () => {
    const { run, calls } = makeBench({ functions: { double: ({ n }: { n: number }) => n * 2 } });
    const done = await run(machine({ T: invoke('double', { Output: '{% $states.result %}', End: true }) }), {
      n: 21,
    });
    expect(done.output).toEqual({ ExecutedVersion: '$LATEST', Payload: 42, StatusCode: 200 });
    expect(calls.map((call) => call.functionName)).toEqual(['double']);
  });

  it("an error's name is the error the machine matches; its cause is Lambda's JSON", async () => {
    const { run } = makeBench({
      functions: {
        f: () => {
          throw boom('Custom', 'the reason');
        },
      },
    });
    const done = await run(machine({ T: invoke('f', { End: true }) }));
    expect(done).toMatchObject({ status: 'FAILED', error: 'Custom' });
    expect(JSON.parse(done.cause ?? '')).toMatchObject({ errorType: 'Custom', errorMessage: 'the reason' });
  });

  it('retries with growing pauses up to MaxAttempts, then catches', async () => {
    const times: string[] = [];
    const bench = makeBench({
      functions: {
        f: () => {
          times.push(new Date(bench.clock.now()).toISOString().slice(11, 19));
          throw boom('Flaky');
        },
      },
    });
    const done = await bench.run(
      machine({
        T: invoke('f', {
          Retry: [
            {
              ErrorEquals: ['Flaky'],
              IntervalSeconds: 10,
              MaxAttempts: 3,
              BackoffRate: 2,
              MaxDelaySeconds: 30,
            },
          ],
          Catch: [
            { ErrorEquals: ['States.ALL'], Assign: { seen: '{% $states.errorOutput.Error %}' }, Next: 'C' },
          ],
          End: true,
        }),
        C: { Type: 'Pass', Output: { seen: '{% $seen %}', input: '{% $states.input.Error %}' }, End: true },
      }),
    );
    expect(times).toEqual(['00:00:00', '00:00:10', '00:00:30', '00:01:00']);
    expect(done.output).toEqual({ seen: 'Flaky', input: 'Flaky' });
  });

  it('counts each retrier by itself and shows RetryCount in the context', async () => {
    const errors = ['A', 'B', 'A', 'B', 'A'];
    const counts: number[] = [];
    const { run, calls } = makeBench({
      functions: {
        f: ({ retry }: { retry: number }) => {
          counts.push(retry);
          throw boom(errors.shift() ?? 'A');
        },
      },
    });
    const done = await run(
      machine({
        T: {
          ...invoke('f', { End: true }),
          Arguments: { FunctionName: 'f', Payload: { retry: '{% $states.context.State.RetryCount %}' } },
          Retry: [
            { ErrorEquals: ['A'], MaxAttempts: 2 },
            { ErrorEquals: ['B'], MaxAttempts: 2 },
          ],
        },
      }),
    );
    expect(done.error).toBe('A');
    expect(calls).toHaveLength(5);
    expect(counts).toEqual([0, 1, 2, 3, 4]);
  });

  it.each([
    ['States.TaskFailed', 'Custom', true],
    ['States.ALL', 'Custom', true],
    ['Other', 'Custom', false],
    ['States.ALL', 'States.Runtime', false],
    ['States.ALL', 'States.DataLimitExceeded', false],
  ])('Catch %s of %s: %s', async (wildcard, error, caught) => {
    const { run } = makeBench({
      functions: {
        f: () => {
          throw boom(error);
        },
      },
    });
    const done = await run(
      machine({
        T: invoke('f', { Catch: [{ ErrorEquals: [wildcard], Next: 'C' }], End: true }),
        C: { Type: 'Succeed' },
      }),
    );
    expect(done.status).toBe(caught ? 'SUCCEEDED' : 'FAILED');
  });

  it('full jitter stays within the pause and comes from the engine’s randomness', async () => {
    const bench = makeBench({
      options: { random: () => 0.25 },
      functions: {
        f: () => {
          throw boom('X');
        },
      },
    });
    const done = await bench.run(
      machine({
        T: invoke('f', {
          Retry: [{ ErrorEquals: ['X'], IntervalSeconds: 100, MaxAttempts: 1, JitterStrategy: 'FULL' }],
          End: true,
        }),
      }),
    );
    expect(done.stopDate).toBe('2026-11-24T00:00:25.000Z');
  });

  it('a call that takes too long is States.Timeout, aborted, and not caught by States.TaskFailed', async () => {
    let aborted = false;
    const { run, types } = makeBench({
      functions: {
        f: (_: never, { signal }) =>
          new Promise(() => {
            signal.addEventListener('abort', () => {
              aborted = true;
            });
          }),
      },
    });
    const done = await run(
      machine({
        T: invoke('f', {
          TimeoutSeconds: 60,
          Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'C' }],
          End: true,
        }),
        C: { Type: 'Succeed' },
      }),
    );
    expect(done).toMatchObject({
      status: 'FAILED',
      error: 'States.Timeout',
      stopDate: '2026-11-24T00:01:00.000Z',
    });
    expect(aborted).toBe(true);
    expect(await types(done.executionArn)).toContain('TaskTimedOut');
  });

  it('events, topics and queues are called with what the arguments say', async () => {
    const { run } = makeBench();
    const task = (resource: string, Arguments: unknown, Next: string) => ({
      Type: 'Task',
      Resource: `arn:aws:states:::${resource}`,
      Arguments,
      Assign: { [Next]: '{% $states.result %}' },
      Next,
    });
    const done = await run(
      machine({
        E: task('events:putEvents', { Entries: [{ Source: 's', DetailType: 'd', Detail: {} }] }, 'N'),
        N: task('sns:publish', { TopicArn: 't', Message: 'm' }, 'Q'),
        Q: task('sqs:sendMessage', { QueueUrl: 'q', MessageBody: 'b' }, 'D'),
        D: {
          Type: 'Pass',
          Output: ['{% $N.FailedEntryCount %}', '{% $Q.MessageId %}', '{% $D.MessageId %}'],
          End: true,
        },
      }),
    );
    expect(done.output).toEqual([0, 'm-1', 'm-2']);
  });
});

describe('Task tokens', () => {
  async function started(more: Record<string, unknown> = {}) {
    const bench = makeBench({ functions: { submit: () => ({}) } });
    bench.engine.registerMachine({
      name: 'm',
      definition: machine({ T: waitForToken('submit', { TimeoutSeconds: 1000, ...more, End: true }) }),
    });
    const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: {} });
    await bench.clock.advance(0);
    const { token } = (bench.calls[0]?.payload ?? {}) as { token: string };
    return { ...bench, executionArn, token };
  }

  it('complete the state with any output', async () => {
    const { engine, executionArn, token, until } = await started();
    await engine.sendTaskSuccess(token, { vectors: 7 });
    expect((await until(executionArn)).output).toEqual({ vectors: 7 });
  });

  it('fail it with a name of their own', async () => {
    const { engine, executionArn, token, until } = await started();
    await engine.sendTaskFailure(token, { error: 'JobRejected', cause: 'bad data' });
    expect(await until(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'JobRejected',
      cause: 'bad data',
    });
  });

  it('are used once: the second answer is TaskTimedOut, garbage is InvalidToken', async () => {
    const { engine, token } = await started();
    await engine.sendTaskSuccess(token, 1);
    await expect(engine.sendTaskSuccess(token, 1)).rejects.toMatchObject({ name: 'TaskTimedOut' });
    await expect(engine.sendTaskSuccess('garbage', 1)).rejects.toMatchObject({ name: 'InvalidToken' });
    await expect(engine.sendTaskSuccess('x'.repeat(3000), 1)).rejects.toMatchObject({ name: 'InvalidToken' });
  });

  it('cannot be guessed from another one: the secret part counts', async () => {
    const { engine, token } = await started();
    const [head] = Buffer.from(token, 'base64url')
      .toString()
      .split(/(?<=^\d+\.\d+\.\d+\.)/);
    const forged = Buffer.from(`${head}another-secret`).toString('base64url');
    await expect(engine.sendTaskSuccess(forged, 1)).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });

  it('without a heartbeat in time the state fails with States.HeartbeatTimeout; each heartbeat starts the time anew', async () => {
    const { engine, executionArn, token, until, clock } = await started({ HeartbeatSeconds: 100 });
    await clock.advance(90_000);
    await engine.sendTaskHeartbeat(token);
    await clock.advance(90_000);
    expect((await engine.describeExecution(executionArn)).status).toBe('RUNNING');
    const done = await until(executionArn);
    expect(done).toMatchObject({ error: 'States.HeartbeatTimeout', stopDate: '2026-11-24T00:03:10.000Z' });
  });

  it('a retrier of States.Timeout also takes a heartbeat that stayed away', async () => {
    const { executionArn, until, calls } = await started({
      HeartbeatSeconds: 10,
      Retry: [{ ErrorEquals: ['States.Timeout'], MaxAttempts: 1 }],
    });
    await until(executionArn);
    expect(calls).toHaveLength(2);
  });
});

describe('Parallel', () => {
  it('gives every branch the input, reads outer variables and keeps the order of the branches', async () => {
    const { run } = makeBench();
    const branch = (seconds: number, value: string) => ({
      StartAt: `W${value}`,
      States: {
        [`W${value}`]: { Type: 'Wait', Seconds: seconds, Next: `P${value}` },
        [`P${value}`]: { Type: 'Pass', Output: `{% '${value}' & $outer & $states.input.x %}`, End: true },
      },
    });
    const done = await run(
      machine({
        A: { Type: 'Pass', Assign: { outer: 'o' }, Next: 'P' },
        P: { Type: 'Parallel', Branches: [branch(20, 'a'), branch(10, 'b')], End: true },
      }),
      { x: '1' },
    );
    expect(done.output).toEqual(['ao1', 'bo1']);
  });

  it('fails with its first failing branch and aborts the others', async () => {
    const bench = makeBench({
      functions: {
        bad: () => {
          throw boom('Broken');
        },
      },
    });
    const done = await bench.run(
      machine({
        P: {
          Type: 'Parallel',
          Branches: [
            { StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 1000, End: true } } },
            { StartAt: 'T', States: { T: invoke('bad', { End: true }) } },
          ],
          Catch: [{ ErrorEquals: ['Broken'], Next: 'D' }],
          End: true,
        },
        D: { Type: 'Pass', Output: '{% $states.input.Error %}', End: true },
      }),
    );
    expect(done).toMatchObject({
      status: 'SUCCEEDED',
      output: 'Broken',
      stopDate: '2026-11-24T00:00:00.000Z',
    });
    expect(await bench.types(done.executionArn)).toEqual(
      expect.arrayContaining(['WaitStateAborted', 'ParallelStateFailed', 'ParallelStateExited']),
    );
  });

  it('is retried as a whole', async () => {
    let left = 2;
    const { run, calls } = makeBench({
      functions: {
        good: () => 'good',
        flaky: () => {
          left -= 1;
          if (left > 0) throw boom('Flaky');
          return 'flaky';
        },
      },
    });
    const branches = ['good', 'flaky'].map((name) => ({
      StartAt: name,
      States: { [name]: invoke(name, { End: true }) },
    }));
    const done = await run(
      machine({
        P: { Type: 'Parallel', Branches: branches, Retry: [{ ErrorEquals: ['Flaky'] }], End: true },
      }),
    );
    expect(done.output).toEqual(['good', 'flaky']);
    expect(calls.map((call) => call.functionName).sort()).toEqual(['flaky', 'flaky', 'good', 'good']);
  });
});

describe('Map INLINE', () => {
  it('runs at most MaxConcurrency iterations at once, and never more than 40', async () => {
    for (const [asked, expected] of [
      [3, 3],
      [0, 40],
      [100, 40],
    ] as const) {
      let now = 0;
      let most = 0;
      const bench = makeBench({
        functions: {
          f: async () => {
            now += 1;
            most = Math.max(most, now);
            await new Promise<void>((resolve) => bench.clock.setTimer(1000, resolve));
            now -= 1;
            return 1;
          },
        },
      });
      await bench.run(
        machine({
          M: {
            Type: 'Map',
            Items: Array(100).fill(0),
            MaxConcurrency: asked,
            ItemProcessor: { StartAt: 'T', States: { T: invoke('f', { End: true }) } },
            End: true,
          },
        }),
      );
      expect(most).toBe(expected);
    }
  });

  it('selects items with the context and the outer input', async () => {
    const { run } = makeBench();
    const done = await run(
      machine({
        M: {
          Type: 'Map',
          Items: '{% $states.input.list %}',
          ItemSelector: {
            index: '{% $states.context.Map.Item.Index %}',
            value: '{% $states.context.Map.Item.Value %}',
            name: '{% $states.input.name %}',
          },
          ItemProcessor: {
            StartAt: 'P',
            States: {
              P: {
                Type: 'Pass',
                Output: '{% $states.input.name & $states.input.index & $states.input.value %}',
                End: true,
              },
            },
          },
          End: true,
        },
      }),
      { list: ['x', 'y'], name: 'n' },
    );
    expect(done.output).toEqual(['n0x', 'n1y']);
  });

  it('of nothing is done at once', async () => {
    const { run } = makeBench();
    const done = await run(
      machine({
        M: {
          Type: 'Map',
          Items: [],
          ItemProcessor: { StartAt: 'P', States: { P: { Type: 'Pass', End: true } } },
          End: true,
        },
      }),
    );
    expect(done.output).toEqual([]);
  });

  it('fails with its first failing iteration', async () => {
    const { run } = makeBench();
    const done = await run(
      machine({
        M: {
          Type: 'Map',
          Items: [1, 2, 3],
          ItemProcessor: {
            StartAt: 'C',
            States: {
              C: {
                Type: 'Choice',
                Choices: [{ Condition: '{% $states.input = 2 %}', Next: 'F' }],
                Default: 'S',
              },
              F: { Type: 'Fail', Error: 'Two' },
              S: { Type: 'Succeed' },
            },
          },
          End: true,
        },
      }),
    );
    expect(done).toMatchObject({ status: 'FAILED', error: 'Two' });
  });
});
