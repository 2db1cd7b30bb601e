import { describe, expect, it } from 'vitest';
import { invoke, machine, makeBench } from '../harness.ts';

/** More than two portions of starts and two blocks of packed children. */
const many = 600;

describe('a distributed Map of many children', () => {
  it('keeps outputs in order, histories and lists whole, and redrives one child among those that are over', async () => {
    let broken = true;
    const bench = makeBench({
      functions: {
        f: (item: number) => {
          if (item === 300 && broken) throw Object.assign(new Error('bad item'), { name: 'BadItem' });
          return item;
        },
      },
    });
    const definition = machine({
      M: {
        Type: 'Map',
        Items: Array.from({ length: many }, (_, index) => index),
        ToleratedFailureCount: 0,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'T',
          States: { T: invoke('f', { End: true }) },
        },
        End: true,
      },
    });
    const first = await bench.run(definition);
    expect(first.status).toBe('FAILED');
    broken = false;
    await bench.engine.redriveExecution(first.executionArn);
    const done = await bench.until(first.executionArn);
    expect(done.output).toEqual(Array.from({ length: many }, (_, index) => index));
    const [run] = await bench.engine.listMapRuns(first.executionArn);
    expect(run?.itemCounts).toMatchObject({
      total: many,
      succeeded: many,
      failed: 0,
      pending: 0,
      running: 0,
    });
    const filter = { mapRunArn: run?.arn ?? '', limit: 1_000 };
    const children = await bench.engine.listExecutions(filter);
    expect(new Set(children.map(({ executionArn }) => executionArn)).size).toBe(many);
    for (const { executionArn } of children) {
      const events = await bench.engine.getExecutionHistory(executionArn);
      expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
      expect(events.at(-1)?.type).toBe('ExecutionSucceeded');
    }
  });

  it('writes its results as several objects in order, all named in the manifest', async () => {
    const bench = makeBench({ functions: { f: (item: number) => `${item}:${'x'.repeat(20_000)}` } });
    const done = await bench.run(
      machine({
        M: {
          Type: 'Map',
          Items: Array.from({ length: many }, (_, index) => index),
          ItemProcessor: {
            ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
            StartAt: 'T',
            States: { T: invoke('f', { End: true }) },
          },
          ResultWriter: {
            Resource: 'arn:aws:states:::s3:putObject',
            Arguments: { Bucket: 'bucket', Prefix: 'out' },
            WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
          },
          End: true,
        },
      }),
    );
    const { Key } = (done.output as { ResultWriterDetails: { Key: string } }).ResultWriterDetails;
    const { ResultFiles } = JSON.parse(bench.objects.get(`bucket/${Key}`) ?? '') as {
      ResultFiles: Record<'SUCCEEDED' | 'FAILED' | 'PENDING', { Key: string; Size: number }[]>;
    };
    const bodies = ResultFiles.SUCCEEDED.map((file) => bench.objects.get(`bucket/${file.Key}`) ?? '');
    expect(ResultFiles.SUCCEEDED.map((file) => file.Key.split('_').at(-1))).toEqual([
      '0.jsonl',
      '1.jsonl',
      '2.jsonl',
    ]);
    expect(ResultFiles.SUCCEEDED.map(({ Size }) => Size)).toEqual(
      bodies.map((body) => Buffer.byteLength(body)),
    );
    expect(
      bodies
        .join('')
        .trim()
        .split('\n')
        .map((line) => Number.parseInt(JSON.parse(line) as string, 10)),
    ).toEqual(Array.from({ length: many }, (_, index) => index));
    expect([ResultFiles.FAILED, ResultFiles.PENDING]).toEqual([[], []]);
  });
});
