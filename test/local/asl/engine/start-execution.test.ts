import { describe, expect, it } from 'vitest';
import { machine, makeBench } from '../harness.ts';

describe('states:startExecution', () => {
  const child = machine({
    C: { Type: 'Pass', Output: { from: 'child', n: '{% $states.input.n %}' }, End: true },
  });
  const start = (resource: string, more: Record<string, unknown> = {}) =>
    machine({
      S: {
        Type: 'Task',
        Resource: `arn:aws:states:::states:${resource}`,
        Arguments: {
          StateMachineArn: 'arn:aws:states:local:000000000000:stateMachine:child',
          Name: 'kid',
          Input: { n: 7 },
        },
        End: true,
        ...more,
      },
    });

  it('.sync:2 waits for the child and has its output as JSON', async () => {
    const bench = makeBench();
    bench.engine.registerMachine({ name: 'child', definition: child });
    const done = await bench.run(start('startExecution.sync:2'));
    expect(done.output).toMatchObject({
      Name: 'kid',
      Status: 'SUCCEEDED',
      Output: { from: 'child', n: 7 },
      Input: { n: 7 },
    });
  });

  it('without .sync goes on at once', async () => {
    const bench = makeBench();
    bench.engine.registerMachine({
      name: 'child',
      definition: machine({ W: { Type: 'Wait', Seconds: 100, End: true } }),
    });
    const done = await bench.run(start('startExecution'));
    expect(done).toMatchObject({
      output: { ExecutionArn: expect.stringContaining(':child:kid') },
      stopDate: '2026-11-24T00:00:00.000Z',
    });
  });

  it("a failed child is States.TaskFailed with the child's description as cause", async () => {
    const bench = makeBench();
    bench.engine.registerMachine({
      name: 'child',
      definition: machine({ F: { Type: 'Fail', Error: 'Own', Cause: 'why' } }),
    });
    const done = await bench.run(start('startExecution.sync:2'));
    expect(done.error).toBe('States.TaskFailed');
    expect(JSON.parse(done.cause ?? '')).toMatchObject({ Error: 'Own', Cause: 'why', Status: 'FAILED' });
  });

  it('an unknown machine and a used name have the service’s error names', async () => {
    const bench = makeBench();
    expect((await bench.run(start('startExecution.sync:2'))).error).toBe(
      'StepFunctions.StateMachineDoesNotExistException',
    );
    bench.engine.registerMachine({ name: 'child', definition: child });
    await bench.run(start('startExecution.sync:2'));
    const again = await bench.run(start('startExecution.sync:2', { Comment: 'again' }));
    expect(again.error).toBe('StepFunctions.ExecutionAlreadyExistsException');
  });

  it('stopping the parent stops the child it waits for', async () => {
    const bench = makeBench();
    bench.engine.registerMachine({
      name: 'child',
      definition: machine({ W: { Type: 'Wait', Seconds: 100, End: true } }),
    });
    bench.engine.registerMachine({ name: 'm', definition: start('startExecution.sync:2') });
    const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: {} });
    await bench.clock.advance(0);
    await bench.engine.stopExecution(executionArn, { error: 'Stopped', cause: 'by hand' });
    expect(await bench.engine.describeExecution(executionArn)).toMatchObject({
      status: 'ABORTED',
      error: 'Stopped',
    });
    const kid = await bench.engine.describeExecution('arn:aws:states:local:000000000000:execution:child:kid');
    expect(kid.status).toBe('ABORTED');
  });
});
