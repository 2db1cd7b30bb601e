import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EpsilonError } from '../../../../lib/errors/epsilon-error.ts';
import type { Journal, JournalBatch } from '../../../../local/asl/journal/journal.ts';
import { SqliteJournal } from '../../../../local/asl/journal/sqlite.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { freshDir, invoke, machine, makeBench, midnight, waitForToken } from '../harness.ts';

/** The process is gone: what was not written is lost, nothing is done any more. */
class Crash extends Error {
  override readonly name = 'Crash';
}

/** A journal that dies at its `at`-th write, before or after the write itself. */
function dying(inner: Journal, at: number, when: 'before' | 'after'): Journal & { writes: number } {
  let dead = false;
  const wrapper = Object.create(inner) as Journal & { writes: number };
  wrapper.writes = 0;
  wrapper.write = (batch: JournalBatch) => {
    if (dead) throw new Crash();
    wrapper.writes += 1;
    dead = wrapper.writes === at;
    if (dead && when === 'before') throw new Crash();
    inner.write(batch);
    if (dead) throw new Crash();
  };
  for (const name of [
    'open',
    'openMapRuns',
    'definition',
    'execution',
    'stored',
    'list',
    'mapRun',
    'mapRunsOf',
    'childrenOf',
    'events',
    'highestKey',
    'close',
  ] as const) {
    Object.defineProperty(wrapper, name, {
      value: (inner[name] as (...args: never[]) => unknown).bind(inner),
    });
  }
  return wrapper;
}

/** Every feature that waits: tasks, tokens, waits, retries, branches, both Maps, a child machine. */
const everything = machine({
  A: invoke('work', { Next: 'P' }),
  P: {
    Type: 'Parallel',
    Branches: [
      {
        StartAt: 'B1',
        States: { B1: invoke('work', { Next: 'W1' }), W1: { Type: 'Wait', Seconds: 10, End: true } },
      },
      { StartAt: 'B2', States: { B2: waitForToken('submit', { TimeoutSeconds: 5000, End: true }) } },
    ],
    Next: 'M',
  },
  M: {
    Type: 'Map',
    Items: [1, 2, 3],
    MaxConcurrency: 2,
    ItemProcessor: { StartAt: 'I', States: { I: invoke('work', { End: true }) } },
    Next: 'D',
  },
  D: {
    Type: 'Map',
    Items: [1, 2, 3],
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: 'J',
      States: { J: invoke('work', { End: true }) },
    },
    Next: 'S',
  },
  S: {
    Type: 'Task',
    Resource: 'arn:aws:states:::states:startExecution.sync:2',
    Arguments: { StateMachineArn: 'child', Name: 'kid', Input: {} },
    Output: '{% $states.result.Output %}',
    Next: 'R',
  },
  R: { ...invoke('flaky', { Retry: [{ ErrorEquals: ['Flaky'], IntervalSeconds: 5 }], Next: 'Z' }) },
  Z: { Type: 'Wait', Seconds: 30, Next: 'Y' },
  Y: invoke('flaky', { End: true }),
});
/** Calls of `work` without a crash: A, B1, three iterations, three children of the Map, and the child machine's. */
const callsOfWork = 9;
const child = machine({ C: invoke('work', { End: true }) });

/** What the world outside has seen; it survives every crash of the engine. */
interface World {
  readonly clock: VirtualClock;
  readonly tokens: Set<string>;
  flakes: number;
  readonly invocations: string[];
  /** Calls made although the journal already held the answers of all that was scheduled. */
  readonly repeated: string[];
}

const eventsOf = (journal: Journal, arn: string) =>
  journal.events(journal.execution(arn)?.key ?? 0, 1, 10_000);

/** Whether a call of `work` in this execution is on record as scheduled and not as answered. */
function awaitsWork(journal: Journal, arn: string): boolean {
  const events = eventsOf(journal, arn);
  const taskOf = (event: Record<string, unknown>, detail: string) =>
    (event[detail] as { resourceType?: string; resource?: string } | undefined)?.resource === 'invoke';
  const scheduled = events.filter((event) => taskOf(event, 'taskScheduledEventDetails')).length;
  const over = events.filter(
    (event) => taskOf(event, 'taskSucceededEventDetails') || taskOf(event, 'taskFailedEventDetails'),
  ).length;
  return scheduled > over;
}

async function attempt(world: World, journal: Journal): Promise<'done' | 'crashed'> {
  const functions = {
    work: (_: unknown, call: { executionArn: string }) => {
      world.invocations.push(call.executionArn);
      if (!awaitsWork(journal, call.executionArn)) world.repeated.push(call.executionArn);
      return { ok: true };
    },
    submit: ({ token }: { token: string }, call: { executionArn: string }) => {
      world.tokens.add(token);
      if (eventsOf(journal, call.executionArn).some(({ type }) => type === 'TaskSubmitted'))
        world.repeated.push(`${call.executionArn} submit`);
      return {};
    },
    flaky: () => {
      world.flakes += 1;
      if (world.flakes < 3) throw Object.assign(new Error('flaky'), { name: 'Flaky' });
      return 'end';
    },
  };
  const bench = makeBench({ journal, clock: world.clock, functions: functions as never });
  bench.engine.registerMachine({ name: 'm', definition: everything });
  bench.engine.registerMachine({ name: 'child', definition: child });
  const crashed = () => bench.faults.some((fault) => fault instanceof Crash);
  bench.engine.recover();
  if (!journal.execution('arn:aws:states:local:000000000000:execution:m:run')) {
    void bench.engine.startExecution({ machine: 'm', name: 'run', input: {} }).catch(() => {});
  }
  for (let round = 0; round < 400; round += 1) {
    await world.clock.advance(0);
    if (crashed()) break;
    const record = journal.execution('arn:aws:states:local:000000000000:execution:m:run');
    if (record && record.status !== 'RUNNING') return 'done';
    for (const token of world.tokens) void bench.engine.sendTaskSuccess(token, 'told').catch(() => {});
    await world.clock.advance(Math.min(world.clock.untilNext() ?? 1000, 20_000));
    if (crashed()) break;
  }
  await bench.engine.close().catch(() => {});
  return 'crashed';
}

interface CrashPoint {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** Runs the machine with a crash at each of the given writes, one process after the other, then to its end. */
async function survive(...points: readonly CrashPoint[]) {
  const stateDir = freshDir();
  const world: World = {
    clock: new VirtualClock(midnight),
    tokens: new Set(),
    flakes: 0,
    invocations: [],
    repeated: [],
  };
  let outcome: 'done' | 'crashed' = 'crashed';
  let crashed = 0;
  for (const { at, when } of points) {
    outcome = await attempt(world, dying(new SqliteJournal({ stateDir }), at, when));
    if (outcome === 'done') break;
    crashed += 1;
  }
  if (outcome === 'crashed') await attempt(world, new SqliteJournal({ stateDir }));
  const journal = new SqliteJournal({ stateDir });
  const record = journal.execution('arn:aws:states:local:000000000000:execution:m:run');
  const events = journal.events(record?.key ?? 0, 1, 10_000);
  return {
    crashed,
    record,
    events,
    tokens: world.tokens.size,
    invocations: world.invocations,
    repeated: world.repeated,
    children: journal.list({ machine: 'child', limit: 10 }).length,
  };
}

function checkHistory(
  events: readonly { id: number; previousEventId: number; type: string; [key: string]: unknown }[],
): void {
  events.forEach((event, index) => {
    expect(event.id).toBe(index + 1);
    expect(event.previousEventId).toBeLessThan(event.id);
  });
  const exits = events
    .filter((event) => event.type.endsWith('StateExited'))
    .map((event) => (event['stateExitedEventDetails'] as { name: string }).name);
  expect(exits.sort()).toEqual(['A', 'B1', 'B2', 'D', 'I', 'I', 'I', 'M', 'P', 'R', 'S', 'W1', 'Y', 'Z']);
}

describe('a crash', () => {
  it('at any write, before or after it, and again at any write of the next process, loses no acknowledged step and repeats no finished one', async () => {
    let crashes = 0;
    const check = async (...points: CrashPoint[]) => {
      const { crashed, record, events, tokens, children, invocations, repeated } = await survive(...points);
      expect(record, JSON.stringify(points)).toMatchObject({ status: 'SUCCEEDED', output: '"end"' });
      checkHistory(events);
      // The task of the token was entered once: one token, however often its function was called.
      expect(tokens).toBe(1);
      expect(children).toBe(1);
      // Nothing is called again whose answer was on record, and a crash repeats at most what it interrupted.
      expect(repeated).toEqual([]);
      expect(invocations.length).toBeGreaterThanOrEqual(callsOfWork);
      const mostInFlight = 3;
      expect(invocations.length).toBeLessThanOrEqual(callsOfWork + crashed * mostInFlight);
      crashes += crashed;
      return crashed;
    };
    for (const when of ['before', 'after'] as const) {
      for (let first = 1; (await check({ at: first, when })) === 1; first += 1) {
        // Of a pair of writes two of the four ways: every second write is killed before it, the others after it.
        if ((first % 2 === 1) !== (when === 'before')) continue;
        for (const again of ['before', 'after'] as const) {
          for (
            let second = 1;
            (await check({ at: first, when }, { at: second, when: again })) === 2;
            second += 1
          );
        }
      }
    }
    expect(crashes).toBeGreaterThanOrEqual(600);
  }, 180_000);
});

describe('engine.db', () => {
  async function written(): Promise<string> {
    const stateDir = freshDir();
    const { run, engine } = makeBench({
      journal: new SqliteJournal({ stateDir }),
      functions: { f: () => 1 },
    });
    await run(machine({ T: invoke('f', { End: true }) }));
    await engine.close();
    return stateDir;
  }

  it('with a changed record names file and place', async () => {
    const stateDir = await written();
    const file = join(stateDir, 'engine.db');
    const bytes = readFileSync(file);
    const at = bytes.indexOf('TaskSucceeded');
    expect(at).toBeGreaterThan(0);
    const handle = openSync(file, 'r+');
    writeSync(handle, 'TaskSXcceeded', at);
    closeSync(handle);
    const journal = new SqliteJournal({ stateDir });
    const [record] = journal.list({ limit: 1 });
    expect(() => journal.events(record?.key ?? 0, 1, 100)).toThrow(
      expect.objectContaining({
        code: 'STATE_DIR_CORRUPT',
        message: expect.stringMatching(/engine\.db.*events 1\/\d+/),
      }),
    );
  });

  it.each([
    ['empty', (file: string) => truncateSync(file, 0), /STATE_DIR_CORRUPT/],
    [
      'cut in the middle',
      (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2)),
      /STATE_DIR_CORRUPT/,
    ],
    [
      'something else',
      (file: string) =>
        writeFileSync(file, 'this is no database, but long enough to look like a file of some kind'),
      /STATE_DIR_(CORRUPT|FOREIGN)/,
    ],
  ])('that is %s is refused, never reset', async (_, damage, code) => {
    const stateDir = await written();
    const file = join(stateDir, 'engine.db');
    damage(file);
    const before = readFileSync(file);
    const open = () => {
      const journal = new SqliteJournal({ stateDir });
      journal.list({ limit: 10 }).forEach((record) => void journal.events(record.key, 1, 100));
      journal.open();
      throw new EpsilonError('NOT_NOTICED', 'the damage was not noticed');
    };
    expect(open).toThrow(expect.objectContaining({ code: expect.stringMatching(code) }));
    expect(readFileSync(file).subarray(100).equals(before.subarray(100))).toBe(true);
  });

  it('of a newer version is refused', async () => {
    const stateDir = await written();
    const { DatabaseSync } = await import('node:sqlite');
    const raw = new DatabaseSync(join(stateDir, 'engine.db'));
    raw.exec('PRAGMA user_version = 99');
    raw.close();
    expect(() => new SqliteJournal({ stateDir })).toThrow(
      expect.objectContaining({ code: 'STATE_DIR_NEWER' }),
    );
  });

  it.each(['DISK_FULL', 'DATABASE_LOCKED'])(
    'under %s keeps what it has, says so, refuses new work, and goes on by itself',
    async (code) => {
      const inner = new SqliteJournal({ stateDir: freshDir() });
      let full = false;
      const journal = dying(inner, -1, 'before');
      const write = journal.write;
      journal.write = (batch) => {
        if (full) throw new EpsilonError(code, 'Nothing can be written.', { exitCode: 4 });
        write(batch);
      };
      const { engine, clock, faults, stalls } = makeBench({ journal, functions: { f: () => 1 } });
      engine.registerMachine({
        name: 'm',
        definition: machine({ W: { Type: 'Wait', Seconds: 1, Next: 'T' }, T: invoke('f', { End: true }) }),
      });
      const { executionArn } = await engine.startExecution({ machine: 'm', input: {} });
      full = true;
      await clock.advance(2_000);
      expect(stalls).toEqual([expect.objectContaining({ code })]);
      await expect(engine.startExecution({ machine: 'm', input: {} })).rejects.toMatchObject({ code });
      expect((await engine.describeExecution(executionArn)).status).toBe('RUNNING');
      full = false;
      await clock.advance(5_000);
      expect((await engine.describeExecution(executionArn)).status).toBe('SUCCEEDED');
      expect(stalls).toEqual([expect.objectContaining({ code }), undefined]);
      expect(faults).toEqual([]);
    },
  );

  it('that is held counts no time: a timeout that fell due meanwhile comes as much later', async () => {
    const { engine, clock } = makeBench({ functions: { f: () => 1 } });
    engine.registerMachine({
      name: 'm',
      definition: machine({ W: { Type: 'Wait', Seconds: 10, End: true } }),
    });
    const { executionArn } = await engine.startExecution({ machine: 'm', input: {} });
    const status = async () => (await engine.describeExecution(executionArn)).status;
    await clock.advance(5_000);
    engine.hold(true);
    await clock.advance(60_000);
    expect(await status()).toBe('RUNNING');
    engine.hold(false);
    await clock.advance(4_000);
    expect(await status()).toBe('RUNNING');
    await clock.advance(1_500);
    expect(await status()).toBe('SUCCEEDED');
  });
});
