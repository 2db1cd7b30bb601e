import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEvent } from '../../lib/ports/workflows.ts';
import { Engine } from '../../local/asl/engine/engine.ts';
import { MemoryJournal } from '../../local/asl/journal/memory.ts';
import { runVirtual } from '../../local/clock/run-virtual.ts';
import { seededRandom } from '../../local/clock/seeded-random.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';
import { openNight } from '../night/harness.ts';

/**
 * Dollars per state transition of a Standard workflow in us-west-2: $0.0250 per 1,000, retries included
 * (AWS Step Functions pricing, table of Standard workflows). The free 4,000 a month are left out.
 */
const dollarsPerTransition = 0.025 / 1_000;

const jobSeconds = 1_200;
const pollSeconds = 30;
const tenants = 20;

/** States entered, each retry again; how the service counts the start of an execution is left out on both sides. */
function billed(events: readonly HistoryEvent[]): number {
  const entered = events.filter(({ type }) => type.endsWith('StateEntered')).length;
  const failed = events.filter(({ type }) =>
    /^(TaskFailed|TaskTimedOut|LambdaFunctionFailed)$/.test(type),
  ).length;
  return entered + failed;
}

/** States of the Map's child: a chain, so that each is entered once. */
function childStates(): number {
  const file = readFileSync('statemachines/nightly-training.asl.json', 'utf8');
  const { States } = JSON.parse(file) as {
    States: { TrainTenants: { ItemProcessor: { States: Record<string, unknown> } } };
  };
  return Object.keys(States.TrainTenants.ItemProcessor.States).length;
}

/** A night of the real machines and handlers over jobs of 20 minutes. */
async function ours(): Promise<number> {
  const night = await openNight({ variables: { EPSILON_TRAINING_MAX_CONCURRENCY: '20' } });
  try {
    night.jobs.fate = () => ({ seconds: jobSeconds });
    await night.add(...Array.from({ length: tenants }, (_, n) => `tenant-${n}`));
    const arn = await night.fire();
    const done = await night.until(arn);
    if (done.status !== 'SUCCEEDED') throw new Error(`the night ended ${done.status}: ${done.cause}`);
    const { workflows } = night.runtime.control;
    // The children of the distributed Map stand in no list; each enters the one state that the machine gives it.
    let transitions = tenants * childStates();
    for (const { executionArn } of await workflows.list({ limit: 10_000 }))
      transitions += billed(await Array.fromAsync(workflows.history(executionArn)));
    return transitions;
  } finally {
    await night.runtime.close();
  }
}

/** The same pipeline as it is written without callbacks: each stage submits, then waits and asks every 30 seconds. */
async function polling(): Promise<{ readonly transitions: number; readonly calls: number }> {
  const clock = new VirtualClock(0);
  const ends = new Map<string, number>();
  let calls = 0;
  const functions: Record<string, (payload: { jobId?: string; stage?: string; run: string }) => unknown> = {
    submitJob: ({ run, stage }) => {
      const jobId = `${run}-${stage}`;
      ends.set(jobId, clock.now() + jobSeconds * 1_000);
      return { jobId };
    },
    describeJob: ({ jobId = '' }) => ({ done: clock.now() >= (ends.get(jobId) ?? 0) }),
  };
  const engine = new Engine({
    journal: new MemoryJournal(),
    integrations: {
      invokeFunction: async ({ functionName, payload }) => {
        calls += 1;
        return functions[functionName]?.(payload as never) ?? {};
      },
      readObject: async () => new Uint8Array(),
      writeObject: async () => {},
      putEvents: async () => ({}),
      snsPublish: async () => ({}),
      sqsSendMessage: async () => ({}),
    },
    clock,
    ids: sequentialIds(),
    random: seededRandom(1),
    onFault: (error) => {
      throw error;
    },
  });
  const definition = JSON.parse(readFileSync(join(import.meta.dirname, 'polling.asl.json'), 'utf8')) as never;
  engine.registerMachine({ name: 'polling', definition });
  const { executionArn } = await engine.startExecution({ machine: 'polling', input: { run: 'r' } });
  const over = await runVirtual(clock, {
    isOver: async () => (await engine.describeExecution(executionArn)).status !== 'RUNNING',
    idle: async () => {
      for (let calm = 0; calm < 5; calm = engine.busy ? 0 : calm + 1)
        await new Promise<void>((resolve) => setImmediate(resolve));
    },
  });
  const { status } = await engine.describeExecution(executionArn);
  if (!over || status !== 'SUCCEEDED') throw new Error(`the polling pipeline ended ${status}`);
  const transitions = billed(await engine.getExecutionHistory(executionArn, { fromId: 1, limit: 25_000 }));
  await engine.close();
  return { transitions, calls };
}

/** Billed transitions and dollars per 1,000 tenant runs, beside the polling version of the same pipeline. */
export async function benchTransitions(): Promise<Record<string, unknown>> {
  const night = await ours();
  const reference = await polling();
  const perRun = night / tenants;
  const dollars = (transitions: number) => transitions * 1_000 * dollarsPerTransition;
  return {
    jobMinutes: jobSeconds / 60,
    tenants,
    perTenantRun: perRun,
    perTenantRunHolds:
      'its nine states, the state of its child of the Map, its share of the night (which the polling version has not)',
    dollarsPer1000Runs: dollars(perRun),
    polling: {
      everySeconds: pollSeconds,
      perTenantRun: reference.transitions,
      dollarsPer1000Runs: dollars(reference.transitions),
      functionCallsPerRun: reference.calls,
    },
    fewer: reference.transitions / perRun,
    target: '>= 50 times fewer for 20-minute jobs',
  };
}
