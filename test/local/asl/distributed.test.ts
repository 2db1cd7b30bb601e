import { describe, expect, it } from 'vitest';
import type { Bench } from './harness.ts';
import { invoke, machine, makeBench } from './harness.ts';

const failing = Object.assign(new Error('bad item'), { name: 'BadItem' });

/** A distributed Map over `[0..n)` whose function fails for the numbers in `bad`. */
function fanOut(n: number, more: Record<string, unknown> = {}) {
  return machine({
    M: {
      Type: 'Map',
      Items: Array.from({ length: n }, (_, index) => index),
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'T',
        States: { T: invoke('f', { End: true }) },
      },
      End: true,
      ...more,
    },
  });
}

const worker = (bad: Set<number>) => ({
  f: (item: number) => {
    if (bad.has(item)) throw failing;
    return item * 10;
  },
});

async function onlyRun({ engine }: Bench, arn: string) {
  const [run] = await engine.listMapRuns(arn);
  if (!run) throw new Error('no map run');
  return run;
}

describe('Map DISTRIBUTED', () => {
  it('runs each item as a child execution that can be listed, and keeps the items’ order', async () => {
    const bench = makeBench({ functions: worker(new Set()) });
    const done = await bench.run(fanOut(5, { MaxConcurrency: 2 }));
    expect(done.output).toEqual([0, 10, 20, 30, 40]);
    const run = await onlyRun(bench, done.executionArn);
    expect(run).toMatchObject({
      status: 'SUCCEEDED',
      itemCounts: { total: 5, succeeded: 5, failed: 0, pending: 0 },
    });
    const children = await bench.engine.listExecutions({ mapRunArn: run.arn });
    expect(children).toHaveLength(5);
    expect(await bench.engine.listExecutions({})).toHaveLength(1);
    expect(await bench.types(done.executionArn)).toEqual([
      'ExecutionStarted',
      'MapStateEntered',
      'MapStateStarted',
      'MapRunStarted',
      'MapRunSucceeded',
      'MapStateSucceeded',
      'MapStateExited',
      'ExecutionSucceeded',
    ]);
  });

  it.each([
    ['none tolerated', {}, 1, 'FAILED'],
    ['percentage not exceeded', { ToleratedFailurePercentage: 20 }, 2, 'SUCCEEDED'],
    ['percentage exceeded', { ToleratedFailurePercentage: 10 }, 2, 'FAILED'],
    ['count not exceeded', { ToleratedFailureCount: 2 }, 2, 'SUCCEEDED'],
    ['count exceeded', { ToleratedFailureCount: 1 }, 2, 'FAILED'],
    ['all tolerated', { ToleratedFailurePercentage: 100 }, 10, 'SUCCEEDED'],
  ])('%s', async (_, more, failures, status) => {
    const bench = makeBench({
      functions: worker(new Set(Array.from({ length: failures }, (__, index) => index))),
    });
    const done = await bench.run(fanOut(10, { MaxConcurrency: 1, ...more }));
    expect(done.status).toBe(status);
    if (status === 'FAILED') expect(done.error).toBe('States.ExceedToleratedFailureThreshold');
  });

  it.each([
    ['JSON', '[{"t":"a"},{"t":"b"}]', {}],
    ['JSONL', '{"t":"a"}\n{"t":"b"}\n', {}],
    ['CSV', 't,u\na,1\nb,2\n', { CSVHeaderLocation: 'FIRST_ROW' }],
    ['CSV', 'a,1\nb,2\n', { CSVHeaderLocation: 'GIVEN', CSVHeaders: ['t', 'u'] }],
  ])('reads items as %s from an object', async (InputType, body, config) => {
    const bench = makeBench({
      functions: { f: (item: { t: string }) => item.t },
      objects: new Map([['bucket/items', body]]),
    });
    const { Items: _, ...map } = (fanOut(0)['States'] as Record<string, Record<string, unknown>>)[
      'M'
    ] as Record<string, unknown>;
    const reader = {
      Resource: 'arn:aws:states:::s3:getObject',
      ReaderConfig: { InputType, ...config },
      Arguments: { Bucket: 'bucket', Key: '{% $states.input.key %}' },
    };
    const done = await bench.run(machine({ M: { ...map, ItemReader: reader } }), { key: 'items' });
    expect(done.output).toEqual(['a', 'b']);
  });

  it.each([
    ['a missing object', 'nothing', '[]'],
    ['an object that is no list', 'items', '{}'],
    ['an object that is no JSON', 'items', '{'],
  ])('%s is States.ItemReaderFailed', async (_, key, body) => {
    const bench = makeBench({ objects: new Map([['bucket/items', body]]) });
    const { Items: __, ...map } = (fanOut(0)['States'] as Record<string, Record<string, unknown>>)[
      'M'
    ] as Record<string, unknown>;
    const done = await bench.run(
      machine({
        M: {
          ...map,
          ItemReader: {
            Resource: 'arn:aws:states:::s3:getObject',
            Arguments: { Bucket: 'bucket', Key: key },
          },
        },
      }),
    );
    expect(done).toMatchObject({
      status: 'FAILED',
      error: 'States.ItemReaderFailed',
      cause: expect.stringContaining(`s3://bucket/${key}`),
    });
  });

  it('batches items and writes results away', async () => {
    const bench = makeBench({ functions: { f: ({ Items }: { Items: number[] }) => Items.length } });
    const done = await bench.run(
      fanOut(5, {
        ItemBatcher: { MaxItemsPerBatch: 2 },
        ResultWriter: {
          Resource: 'arn:aws:states:::s3:putObject',
          Arguments: { Bucket: 'bucket', Prefix: 'out' },
        },
      }),
    );
    const { ResultWriterDetails: place } = done.output as {
      ResultWriterDetails: { Bucket: string; Key: string };
    };
    const manifest = JSON.parse(bench.objects.get(`bucket/${place.Key}`) ?? '') as {
      ResultFiles: { SUCCEEDED: { Key: string }[] };
    };
    const written = JSON.parse(
      bench.objects.get(`bucket/${manifest.ResultFiles.SUCCEEDED[0]?.Key}`) ?? '',
    ) as { Output: string }[];
    expect(written.map(({ Output }) => Output)).toEqual(['2', '2', '1']);
  });

  it('children see their own input and context, not the variables around the Map', async () => {
    const bench = makeBench();
    const { Items: _, ...map } = (fanOut(0)['States'] as Record<string, Record<string, unknown>>)[
      'M'
    ] as Record<string, unknown>;
    const child = {
      ...(map['ItemProcessor'] as object),
      StartAt: 'P',
      States: {
        P: {
          Type: 'Pass',
          Output: "{% $exists($outer) ? 'seen' : $states.context.Execution.Id %}",
          End: true,
        },
      },
    };
    const done = await bench.run(
      machine({
        A: { Type: 'Pass', Assign: { outer: 1 }, Next: 'M' },
        M: { ...map, Items: [1], ItemProcessor: child },
      }),
    );
    expect((done.output as string[])[0]).toMatch(/:execution:m\/M:/);
  });

  it('redrives the failed children only', async () => {
    const bad = new Set([1, 3]);
    const bench = makeBench({ functions: worker(bad) });
    const failed = await bench.run(fanOut(5, { ToleratedFailurePercentage: 30 }));
    expect(failed.status).toBe('FAILED');
    const before = bench.calls.length;
    bad.clear();
    await bench.engine.redriveExecution(failed.executionArn);
    const done = await bench.until(failed.executionArn);
    expect(done).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1, output: [0, 10, 20, 30, 40] });
    expect(
      bench.calls
        .slice(before)
        .map((call) => call.payload)
        .sort(),
    ).toEqual(expect.arrayContaining([1, 3]));
    expect(bench.calls.filter((call) => call.payload === 0)).toHaveLength(1);
  });
});

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
