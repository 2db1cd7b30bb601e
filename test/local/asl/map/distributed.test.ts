import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { serviceLimits } from '../../../../local/asl/threads/state-context.ts';
import type { Bench } from '../harness.ts';
import { invoke, machine, makeBench } from '../harness.ts';

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

  it('runs no more children at once than the service allows (10,000), and never more than MaxConcurrency', async () => {
    expect(serviceLimits.distributedChildren).toBe(10_000);
    for (const [MaxConcurrency, most] of [
      [0, 4],
      [9, 4],
      [2, 2],
    ] as const) {
      let now = 0;
      let highest = 0;
      const bench = makeBench({
        options: { limits: { distributedChildren: 4 } },
        functions: {
          f: async () => {
            now += 1;
            highest = Math.max(highest, now);
            await new Promise<void>((resolve) => bench.clock.setTimer(1_000, resolve));
            now -= 1;
          },
        },
      });
      const done = await bench.run(fanOut(10, { MaxConcurrency }));
      expect(done.status).toBe('SUCCEEDED');
      expect(highest).toBe(most);
    }
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
    ['JSON', '{"data":{"a/b":[{"t":"a"},{"t":"b"}]}}', { ItemsPointer: '/data/a~1b' }],
    ['JSONL', gzipSync('{"t":"a"}\n{"t":"b"}\n'), {}],
    ['CSV', zstdCompressSync('t,u\na,1\nb,2\n'), {}],
    ['CSV', 't,u\na,1\nb,2\n', { CSVHeaderLocation: 'FIRST_ROW' }],
    ['CSV', 'a,1\nb,2\n', { CSVHeaderLocation: 'GIVEN', CSVHeaders: ['t', 'u'] }],
  ])('reads items as %s from an object', async (InputType, body, config) => {
    const bench = makeBench({
      functions: { f: (item: { t: string }) => item.t },
      integrations: { readObject: async () => new Uint8Array(Buffer.from(body)) },
    });
    const { M = {} } = fanOut(0)['States'] as Record<string, Record<string, unknown>>;
    const { Items: _, ...map } = M;
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
    ['an object that is no list', 'items', '5'],
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

  const reading = (ReaderConfig: Record<string, unknown>, more: Record<string, unknown> = {}) => {
    const { Items: _, ...map } = (fanOut(0)['States'] as Record<string, Record<string, unknown>>)[
      'M'
    ] as Record<string, unknown>;
    const Arguments = { Bucket: 'bucket', Key: 'items' };
    const ItemReader = { Resource: 'arn:aws:states:::s3:getObject', ReaderConfig, Arguments };
    return machine({ M: { ...map, ItemReader, ...more } });
  };

  it.each([
    // Fields beyond the header go, missing ones are empty, a line of blanks is a row, an empty one is none.
    [
      'more and fewer fields',
      {},
      'H1,\na,b,c\n\n,,,\nd\n   \n',
      [
        { H1: 'a', '': 'b' },
        { H1: '', '': '' },
        { H1: 'd', '': '' },
        { H1: '   ', '': '' },
      ],
    ],
    ['quotes, commas and line ends inside', {}, 'h,i\r\n"a,""b""\nc",2\r\n', [{ h: 'a,"b"\nc', i: '2' }]],
    [
      'headers given',
      { CSVHeaderLocation: 'GIVEN', CSVHeaders: ['x'] },
      'a,b\nc,d\n',
      [{ x: 'a' }, { x: 'c' }],
    ],
    ['another delimiter', { CSVDelimiter: 'PIPE' }, 'h|i\na,1|b\n', [{ h: 'a,1', i: 'b' }]],
    ['MaxItems', { MaxItems: 1 }, 'h\n1\n2\n', [{ h: '1' }]],
    ['MaxItems 0, which is all', { MaxItems: '{% 0 %}' }, 'h\n1\n2\n', [{ h: '1' }, { h: '2' }]],
    ['a header and nothing else', {}, 'h\n', []],
  ])('reads CSV with %s', async (_, config, body, items) => {
    const bench = makeBench({
      functions: { f: (item: unknown) => item },
      objects: new Map([['bucket/items', body]]),
    });
    expect((await bench.run(reading({ InputType: 'CSV', ...config }))).output).toEqual(items);
  });

  it('a name twice in a CSV header is States.ItemReaderFailed', async () => {
    const bench = makeBench({ objects: new Map([['bucket/items', 'h,h\n1,2\n']]) });
    const done = await bench.run(reading({ InputType: 'CSV' }));
    expect(done).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed' });
  });

  it.each([
    ['items', { MaxItemsPerBatch: 2 }, [[1, 2], [3, 4], [5]]],
    // {"Items":[1,2]} has 15 bytes.
    ['bytes', { MaxInputBytesPerBatch: 15 }, [[1, 2], [3, 4], [5]]],
    ['whichever is first', { MaxItemsPerBatch: 3, MaxInputBytesPerBatch: '{% 16 %}' }, [[1, 2], [3, 4], [5]]],
    ['what all batches hold', { MaxItemsPerBatch: 9, BatchInput: { k: '{% 1 + 1 %}' } }, [[1, 2, 3, 4, 5]]],
  ])('batches by %s', async (_, ItemBatcher, batches) => {
    const bench = makeBench({ functions: { f: (batch: unknown) => batch } });
    const done = await bench.run(fanOut(0, { Items: [1, 2, 3, 4, 5], ItemBatcher }));
    const extra = 'BatchInput' in ItemBatcher ? { BatchInput: { k: 2 } } : {};
    expect(done.output).toEqual(batches.map((Items) => ({ ...extra, Items })));
  });

  it('an item too large for a batch is States.ItemReaderFailed, one too large for a child States.DataLimitExceeded', async () => {
    const bench = makeBench();
    const large = ['x'.repeat(300_000)];
    const batched = await bench.run(fanOut(0, { Items: ['xx'], ItemBatcher: { MaxInputBytesPerBatch: 5 } }));
    expect(batched.error).toBe('States.ItemReaderFailed');
    const objects = new Map([['bucket/items', JSON.stringify(large)]]);
    const alone = await makeBench({ objects }).run(reading({ InputType: 'JSON' }));
    expect(alone.error).toBe('States.DataLimitExceeded');
  });

  it('tolerates percentages with a fraction', async () => {
    const bench = makeBench({ functions: worker(new Set([0])) });
    const done = await bench.run(fanOut(16, { ToleratedFailurePercentage: 6.25 }));
    expect(done.status).toBe('SUCCEEDED');
    const less = await bench.run(fanOut(16, { ToleratedFailurePercentage: '{% 6.2 %}' }));
    expect(less.error).toBe('States.ExceedToleratedFailureThreshold');
  });

  describe('ResultWriter', () => {
    const exported = {
      Resource: 'arn:aws:states:::s3:putObject',
      Arguments: { Bucket: 'bucket', Prefix: 'out' },
    };
    const filesOf = (bench: Bench): Record<string, string> =>
      Object.fromEntries(
        [...bench.objects].map(([key, body]) => [key.replace(/^bucket\/out\/[^/]+\//, ''), body]),
      );

    it('describes the children, failed ones in a file of their own, and names all files in a manifest', async () => {
      const bench = makeBench({ functions: worker(new Set([1])) });
      const done = await bench.run(
        fanOut(3, { ToleratedFailureCount: 1, ResultWriter: exported, Label: 'L' }),
      );
      const [run] = await bench.engine.listMapRuns(done.executionArn);
      const id = run?.arn.split(':').at(-1);
      expect(done.output).toEqual({
        MapRunArn: run?.arn,
        ResultWriterDetails: { Bucket: 'bucket', Key: `out/${id}/manifest.json` },
      });
      const files = filesOf(bench);
      expect(Object.keys(files).sort()).toEqual(['FAILED_0.json', 'SUCCEEDED_0.json', 'manifest.json']);
      expect(JSON.parse(files['SUCCEEDED_0.json'] ?? '')).toMatchObject([
        { Input: '0', Output: '0', Status: 'SUCCEEDED', RedriveStatus: 'NOT_REDRIVABLE' },
        { Input: '2', Output: '20', StateMachineArn: expect.stringContaining('stateMachine:m/L') },
      ]);
      expect(JSON.parse(files['FAILED_0.json'] ?? '')).toMatchObject([
        { Input: '1', Error: 'BadItem', Status: 'FAILED', RedriveStatus: 'REDRIVABLE_BY_MAP_RUN' },
      ]);
      const size = (name: string) => Buffer.byteLength(files[name] ?? '');
      expect(JSON.parse(files['manifest.json'] ?? '')).toEqual({
        DestinationBucket: 'bucket',
        MapRunArn: run?.arn,
        ResultFiles: {
          SUCCEEDED: [{ Key: `out/${id}/SUCCEEDED_0.json`, Size: size('SUCCEEDED_0.json') }],
          FAILED: [{ Key: `out/${id}/FAILED_0.json`, Size: size('FAILED_0.json') }],
          PENDING: [],
        },
      });
    });

    it.each([
      ['COMPACT', 'JSON', 'SUCCEEDED_0.json', '[[0,"x"],[10,"x"]]'],
      ['FLATTEN', 'JSON', 'SUCCEEDED_0.json', '[0,"x",10,"x"]'],
      ['COMPACT', 'JSONL', 'SUCCEEDED_0.jsonl', '[0,"x"]\n[10,"x"]\n'],
    ])('writes outputs %s as %s', async (Transformation, OutputType, file, body) => {
      const bench = makeBench({ functions: { f: (item: number) => [item * 10, 'x'] } });
      await bench.run(
        fanOut(2, { ResultWriter: { ...exported, WriterConfig: { Transformation, OutputType } } }),
      );
      expect(filesOf(bench)[file]).toBe(body);
    });

    it('without a place gives the transformed outputs to the state', async () => {
      const bench = makeBench({ functions: { f: (item: number) => [item, item] } });
      const done = await bench.run(
        fanOut(2, { ResultWriter: { WriterConfig: { Transformation: 'FLATTEN' } } }),
      );
      expect(done.output).toEqual([0, 0, 1, 1]);
    });

    it('of a run that fails writes what failed and what was never started', async () => {
      const bench = makeBench({ functions: worker(new Set([0])) });
      const done = await bench.run(fanOut(3, { MaxConcurrency: 1, ResultWriter: exported }));
      expect(done.error).toBe('States.ExceedToleratedFailureThreshold');
      const files = filesOf(bench);
      expect(JSON.parse(files['FAILED_0.json'] ?? '')).toMatchObject([{ Input: '0', Error: 'BadItem' }]);
      expect(JSON.parse(files['PENDING_0.json'] ?? '')).toMatchObject([{ Input: '1' }, { Input: '2' }]);
    });

    it('that cannot write fails the run with States.ResultWriterFailed', async () => {
      const bench = makeBench({
        functions: worker(new Set()),
        integrations: { writeObject: () => Promise.reject(new Error('AccessDenied')) },
      });
      const done = await bench.run(fanOut(1, { ResultWriter: exported }));
      expect(done).toMatchObject({
        error: 'States.ResultWriterFailed',
        cause: expect.stringContaining('AccessDenied'),
      });
      expect((await bench.types(done.executionArn)).slice(-3)).toEqual([
        'MapRunFailed',
        'MapStateFailed',
        'ExecutionFailed',
      ]);
    });

    it.each([
      ['nothing', {}],
      ['a Resource alone', { Resource: exported.Resource }],
      ['an unknown transformation', { ...exported, WriterConfig: { Transformation: 'ZIP' } }],
      ['JSONL that goes nowhere', { WriterConfig: { OutputType: 'JSONL' } }],
    ])('with %s is refused when loaded', (_, ResultWriter) => {
      const { engine } = makeBench();
      const definition = fanOut(1, { ResultWriter });
      expect(() => engine.registerMachine({ name: 'm', definition })).toThrow('States.M.ResultWriter');
    });
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
