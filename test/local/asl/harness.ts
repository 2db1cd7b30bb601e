import type { ExecutionDetail } from '../../../lib/ports/workflows.ts';
import { Engine, type EngineOptions } from '../../../local/asl/engine/engine.ts';
import type { Journal } from '../../../local/asl/journal/journal.ts';
import { MemoryJournal } from '../../../local/asl/journal/memory.ts';
import { ProcessEvaluators } from '../../../local/asl/jsonata/evaluators.ts';
import type { Evaluation } from '../../../local/asl/jsonata/protocol.ts';
import type { FunctionInvocation, Integrations } from '../../../local/asl/model/integrations.ts';
import { seededRandom } from '../../../local/clock/seeded-random.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { sequentialIds } from '../../fixtures/sequential-ids.ts';

export { freshDir } from '../../fresh-dir.ts';

/** Midnight before the tests' night. */
export const midnight = Date.parse('2026-11-24T00:00:00Z');

/** An engine with its virtual clock and what its functions were called with. */
export interface Bench {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  readonly calls: FunctionInvocation[];
  readonly objects: Map<string, string>;
  readonly faults: Error[];
  /** Why the journal had to wait; undefined each time it went on. */
  readonly stalls: (Error | undefined)[];
  /** Starts a machine called `m` and lets virtual time run until it is over. */
  run(definition: unknown, input?: unknown): Promise<ExecutionDetail>;
  /** Lets virtual time run until an execution is over; fails after `hours` of it. */
  until(arn: string, hours?: number): Promise<ExecutionDetail>;
  types(arn: string): Promise<string[]>;
}

/** What tests choose. */
export interface BenchOptions {
  readonly journal?: Journal;
  readonly clock?: VirtualClock;
  readonly functions?: Readonly<Record<string, (payload: never, call: FunctionInvocation) => unknown>>;
  readonly options?: Partial<EngineOptions>;
  readonly objects?: Map<string, string>;
  readonly integrations?: Partial<Integrations>;
}

/** One pool of evaluating processes for all engines of a test file; an engine that is closed leaves it open. */
const processes = new ProcessEvaluators();
export const evaluators = {
  evaluate: (evaluation: Evaluation) => processes.evaluate(evaluation),
  close: () => {},
};

/** Everything a state's arguments may name, as an object store and functions of the test. */
export function makeBench({
  journal = new MemoryJournal(),
  clock = new VirtualClock(midnight),
  functions = {},
  options = {},
  objects = new Map(),
  integrations: own = {},
}: BenchOptions = {}): Bench {
  const calls: FunctionInvocation[] = [];
  const faults: Error[] = [];
  const stalls: (Error | undefined)[] = [];
  const integrations: Integrations = {
    invokeFunction: async (call) => {
      calls.push(call);
      const body = functions[call.functionName];
      if (!body)
        throw Object.assign(new Error(`no function ${call.functionName}`), {
          name: 'Lambda.ResourceNotFoundException',
        });
      return body(call.payload as never, call);
    },
    readObject: async (bucket, key) => {
      const found = objects.get(`${bucket}/${key}`);
      if (found === undefined) throw new Error('NoSuchKey');
      return new TextEncoder().encode(found);
    },
    writeObject: async (bucket, key, body) => {
      objects.set(`${bucket}/${key}`, body);
    },
    putEvents: async (entries) => ({ FailedEntryCount: 0, Entries: entries }),
    snsPublish: async () => ({ MessageId: 'm-1' }),
    sqsSendMessage: async () => ({ MessageId: 'm-2' }),
    ...own,
  };
  const engine = new Engine({
    journal,
    integrations,
    clock,
    ids: sequentialIds(),
    random: seededRandom(1),
    evaluators,
    onFault: (error) => faults.push(error),
    onStall: (error) => stalls.push(error),
    ...options,
  });

  let history = 0;
  engine.onHistoryEvent(() => {
    history += 1;
  });

  /** Lets everything happen that needs no time; calls follow each other over many turns of the event loop. */
  async function quietly(arn: string): Promise<ExecutionDetail> {
    let detail = await engine.describeExecution(arn);
    for (let round = 0, calm = 0; detail.status === 'RUNNING' && calm < 4 && round < 100_000; round += 1) {
      const before = history;
      await clock.advance(0);
      calm = history === before && !engine.busy ? calm + 1 : 0;
      // Expressions that are evaluated elsewhere take real time, of which this clock knows nothing.
      while (engine.busy) await new Promise<void>((resolve) => setImmediate(resolve));
      detail = await engine.describeExecution(arn);
    }
    return detail;
  }

  async function until(arn: string, hours = 1000): Promise<ExecutionDetail> {
    const end = clock.now() + hours * 3_600_000;
    for (;;) {
      const detail = await quietly(arn);
      if (detail.status !== 'RUNNING') return detail;
      if (faults[0]) throw faults[0];
      const wait = clock.untilNext();
      if (wait === undefined || clock.now() + wait > end)
        throw new Error(`${arn} is still running and nothing is going to happen`);
      await clock.advance(wait);
    }
  }

  return {
    engine,
    clock,
    calls,
    objects,
    faults,
    stalls,
    until,
    run: async (definition, input = {}) => {
      engine.registerMachine({ name: 'm', definition });
      const { executionArn } = await engine.startExecution({ machine: 'm', input });
      return until(executionArn);
    },
    types: async (arn) =>
      (await engine.getExecutionHistory(arn, { limit: 100_000 })).map((event) => event.type),
  };
}

/** A JSONata machine from its states; the first one begins. */
export function machine(
  states: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...more };
}

/** A Task that invokes a function. */
export function invoke(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: name, Payload: '{% $states.input %}' },
    Output: '{% $states.result.Payload %}',
    ...more,
  };
}

/** A Task that hands its token to a function and waits. */
export function waitForToken(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: {
      FunctionName: name,
      Payload: { token: '{% $states.context.Task.Token %}', input: '{% $states.input %}' },
    },
    ...more,
  };
}
