import { describe, expect, it } from 'vitest';
import { engineWorkflows } from '../../../../local/adapters/engine-ports.ts';
import type { Journal } from '../../../../local/asl/journal/journal.ts';
import { SqliteJournal } from '../../../../local/asl/journal/sqlite.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { type Bench, freshDir, invoke, machine, makeBench, midnight } from '../harness.ts';

/** A distributed Map over `[0..n)`. */
function fanOut(n: number, more: Record<string, unknown>) {
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

/** Items whose function was called, and how to answer each. */
interface Held {
  readonly bench: Bench;
  readonly arn: string;
  readonly run: string;
  readonly answers: Map<number, (error?: Error) => void>;
}

const turns = async () => {
  for (let turn = 0; turn < 50; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
};

/** Starts a Map whose children wait until the test answers them. */
async function hold(n: number, more: Record<string, unknown>, journal?: Journal): Promise<Held> {
  const answers: Held['answers'] = new Map();
  const bench = makeBench({
    ...(journal ? { journal } : {}),
    functions: {
      f: (item: number) =>
        new Promise<number>((resolve, reject) =>
          answers.set(item, (error) => (error ? reject(error) : resolve(item))),
        ),
    },
  });
  bench.engine.registerMachine({ name: 'm', definition: fanOut(n, more) as never });
  const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: {} });
  await turns();
  const [run] = await bench.engine.listMapRuns(executionArn);
  return { bench, arn: executionArn, run: run?.arn ?? '', answers };
}

const asked = ({ answers }: Held) => [...answers.keys()];
const bad = () => Object.assign(new Error('bad item'), { name: 'BadItem' });

describe('a map run that is changed while it runs', () => {
  it('starts more children at once when it is widened, and does not stop any when it is narrowed', async () => {
    const held = await hold(8, { MaxConcurrency: 2 });
    const workflows = engineWorkflows(held.bench.engine);
    expect(asked(held)).toEqual([0, 1]);
    await workflows.updateMapRun(held.run, { maxConcurrency: 5 });
    await turns();
    expect(asked(held)).toEqual([0, 1, 2, 3, 4]);
    await workflows.updateMapRun(held.run, { maxConcurrency: 1 });
    for (const item of [0, 1, 2]) held.answers.get(item)?.();
    await turns();
    expect(asked(held)).toHaveLength(5);
    expect(await workflows.mapRuns(held.arn)).toMatchObject([
      { status: 'RUNNING', maxConcurrency: 1, children: { running: 2, succeeded: 3, pending: 3 } },
    ]);
    await workflows.updateMapRun(held.run, { maxConcurrency: 0 });
    await turns();
    expect(asked(held)).toHaveLength(8);
    for (const answer of held.answers.values()) answer();
    expect(await held.bench.until(held.arn)).toMatchObject({
      status: 'SUCCEEDED',
      output: [0, 1, 2, 3, 4, 5, 6, 7],
    });
    await expect(workflows.updateMapRun(held.run, { maxConcurrency: 3 })).rejects.toMatchObject({
      code: 'MAP_RUN_NOT_RUNNING',
      exitCode: 3,
    });
    await expect(workflows.updateMapRun('arn:none', { maxConcurrency: 3 })).rejects.toMatchObject({
      code: 'MAP_RUN_NOT_FOUND',
    });
  });

  it('fails at once when it has more failures than it tolerates now, and goes on when it tolerates them', async () => {
    const held = await hold(4, { MaxConcurrency: 2, ToleratedFailureCount: 3 });
    held.answers.get(0)?.(bad());
    await turns();
    await held.bench.engine.updateMapRun(held.run, { toleratedFailureCount: 1 });
    expect((await held.bench.engine.describeMapRun(held.run)).status).toBe('RUNNING');
    await held.bench.engine.updateMapRun(held.run, {
      toleratedFailureCount: 0,
      toleratedFailurePercentage: 20,
    });
    expect(await held.bench.until(held.arn)).toMatchObject({
      status: 'FAILED',
      error: 'States.ExceedToleratedFailureThreshold',
    });
    const other = await hold(4, {});
    await other.bench.engine.updateMapRun(other.run, { toleratedFailurePercentage: 100 });
    for (const answer of other.answers.values()) answer(bad());
    expect(await other.bench.until(other.arn)).toMatchObject({ status: 'SUCCEEDED', output: [] });
  });

  it('keeps its settings after a crash', async () => {
    const stateDir = freshDir();
    const held = await hold(6, { MaxConcurrency: 1 }, new SqliteJournal({ stateDir }));
    await held.bench.engine.updateMapRun(held.run, { maxConcurrency: 4, toleratedFailureCount: 2 });
    await held.bench.engine.close();
    const again = makeBench({
      journal: new SqliteJournal({ stateDir }),
      clock: new VirtualClock(midnight),
      functions: { f: (item: number) => item },
    });
    again.engine.registerMachine({ name: 'm', definition: fanOut(6, { MaxConcurrency: 1 }) as never });
    again.engine.recover();
    expect(await again.until(held.arn)).toMatchObject({ status: 'SUCCEEDED', output: [0, 1, 2, 3, 4, 5] });
    expect(await again.engine.describeMapRun(held.run)).toMatchObject({
      maxConcurrency: 4,
      toleratedCount: 2,
      itemCounts: { succeeded: 6 },
    });
    await again.engine.close();
  });
});
