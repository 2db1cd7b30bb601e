import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bench } from '../harness.ts';
import { invoke, makeBench, waitForToken } from '../harness.ts';

type Tree = Record<string, unknown>;

const work = invoke('work', { Retry: [{ ErrorEquals: ['Flaky'], MaxAttempts: 1, IntervalSeconds: 3 }] });
const retried = { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1, IntervalSeconds: 2 }] };

/** States of a random machine; a block is filled with them in `blockOf`. `catches` and `retries` change where a fault leads. */
const states = (faultsLead: boolean) =>
  fc.letrec<{ block: Tree; state: Tree }>((tie) => ({
    state: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<Tree>(
        { Type: 'Pass' },
        { Type: 'Pass', Assign: { seen: '{% $exists($seen) ? $seen + 1 : 1 %}' } },
        { Type: 'Pass', Output: { seen: '{% $exists($seen) ? $seen : 0 %}', was: '{% $states.input %}' } },
        { Type: 'Pass', Output: ['x'] },
      ),
      fc.record({ Type: fc.constant('Wait'), Seconds: fc.integer({ min: 0, max: 10_000 }) }),
      fc.constant({ ...work }),
      fc.constant({
        ...work,
        Assign: { last: '{% $states.result.Payload %}' },
        ...(faultsLead ? { catches: true } : {}),
      }),
      fc.constant(waitForToken('ask', { Output: '{% $states.result %}' })),
      fc.record({ chooses: fc.boolean() }),
      fc.record({
        Type: fc.constant('Parallel'),
        Branches: fc.array(tie('block'), { minLength: 1, maxLength: 3 }),
        ...(faultsLead ? { more: fc.constantFrom({}, retried, { catches: true }) } : {}),
      }),
      fc.record({
        Type: fc.constant('Map'),
        Items: fc.constantFrom([], [1], [1, 2, 3]),
        MaxConcurrency: fc.integer({ min: 0, max: 2 }),
        ItemProcessor: tie('block'),
        ...(faultsLead ? { more: fc.constantFrom({}, retried, { catches: true }) } : {}),
      }),
      fc.record({
        Type: fc.constant('Map'),
        Items: fc.constantFrom([1], [1, 2]),
        ItemProcessor: tie('block').map((block) => ({
          ...block,
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        })),
        ...(faultsLead ? { more: fc.constantFrom({}, retried, { ToleratedFailurePercentage: 50 }) } : {}),
      }),
    ),
    block: fc.array(tie('state'), { minLength: 1, maxLength: 4 }).map(blockOf),
  })).block;

/** States one after the other, only forward, so that every path ends: a Choice skips to the last one or goes on. */
function blockOf(list: readonly Tree[]): Tree {
  const last = list.length - 1;
  const named = list.map(({ chooses, catches, more = {}, ...state }, index): [string, Tree] => {
    if (chooses !== undefined) {
      const rule = { Condition: `{% ${String(chooses)} %}`, Next: index === last ? 'SE' : `S${last}` };
      return [
        `S${index}`,
        { Type: 'Choice', Choices: [rule], Default: index === last ? 'SE' : `S${index + 1}` },
      ];
    }
    const flow = index === last ? { End: true } : { Next: `S${index + 1}` };
    const { catches: also, ...kept } = more as Tree;
    const catcher = {
      Catch: [{ ErrorEquals: ['States.ALL'], Next: index === last ? 'SE' : `S${index + 1}` }],
    };
    return [`S${index}`, { ...state, ...kept, ...(catches || also ? catcher : {}), ...flow }];
  });
  const block = Object.fromEntries(named);
  const wanted =
    JSON.stringify(block).includes('"Next":"SE"') || JSON.stringify(block).includes('"Default":"SE"');
  return { StartAt: 'S0', States: wanted ? { ...block, SE: { Type: 'Succeed' } } : block };
}

/** A variable is assigned in one part only: each depth has its own. */
function withOwnVariables(state: Tree, depth: number): Tree {
  const text = JSON.stringify(state)
    .replaceAll('$seen', `$seen${depth}`)
    .replace(/"Assign":\{"(\w+)"/, `"Assign":{"$1${depth}"`);
  return JSON.parse(text) as Tree;
}

/** Names are used once in a definition: each state's is made from its place. What is never reached is left out. */
function placed(block: Tree, place = 'S'): Tree {
  const name = (key: unknown) => `${place}${String(key).slice(1)}`;
  const all = block['States'] as Record<string, Tree>;
  const reached = new Set<string>();
  const visit = (key: string) => {
    if (reached.has(key)) return;
    reached.add(key);
    const { Next: next, Default: other, Choices: rules = [], Catch: catchers = [] } = all[key] ?? {};
    for (const to of [
      next,
      other,
      ...[...(rules as Tree[]), ...(catchers as Tree[])].map((each) => each['Next']),
    ])
      if (typeof to === 'string') visit(to);
  };
  visit(String(block['StartAt']));
  const moved = (list: unknown) => (list as Tree[]).map((each) => ({ ...each, Next: name(each['Next']) }));
  const states = [...reached].map((key): [string, Tree] => {
    const { Next, Default, Choices, Catch, Branches, ItemProcessor, ...given } = all[key] ?? {};
    const state = withOwnVariables(given, place.split('_').length);
    const inner = `${name(key)}_`;
    return [
      name(key),
      {
        ...state,
        ...(Next === undefined ? {} : { Next: name(Next) }),
        ...(Default === undefined ? {} : { Default: name(Default) }),
        ...(Choices === undefined ? {} : { Choices: moved(Choices) }),
        ...(Catch === undefined ? {} : { Catch: moved(Catch) }),
        ...(Branches === undefined
          ? {}
          : { Branches: (Branches as Tree[]).map((each, at) => placed(each, `${inner}${at}_`)) }),
        ...(ItemProcessor === undefined ? {} : { ItemProcessor: placed(ItemProcessor as Tree, inner) }),
      },
    ];
  });
  return { ...block, StartAt: name(block['StartAt']), States: Object.fromEntries(states) };
}

interface Event {
  readonly id: number;
  readonly previousEventId: number;
  readonly type: string;
  readonly [detail: string]: unknown;
}

/** Every event follows an earlier one, or begins the chain; what was entered is left at most once as often. */
function checkForm(events: readonly Event[]): void {
  const beginning = /^Execution(Started|Aborted|TimedOut)$|StateEntered$|^EvaluationFailed$/;
  const balance = new Map<string, number>();
  events.forEach((event, index) => {
    expect(event.id).toBe(index + 1);
    expect(event.previousEventId).toBeGreaterThanOrEqual(0);
    expect(event.previousEventId).toBeLessThan(event.id);
    if (event.previousEventId === 0) expect(event.type).toMatch(beginning);
    for (const [key, change] of [
      ['stateEnteredEventDetails', 1],
      ['stateExitedEventDetails', -1],
    ] as const) {
      const name = (event[key] as { name: string } | undefined)?.name;
      if (name === undefined) continue;
      const open = (balance.get(name) ?? 0) + change;
      expect(open).toBeGreaterThanOrEqual(0);
      balance.set(name, open);
    }
  });
  expect(events[0]?.type).toBe('ExecutionStarted');
}

/** Histories of an execution and of the children of its distributed Maps. */
async function histories({ engine }: Bench, arn: string): Promise<readonly Event[][]> {
  const own = (await engine.getExecutionHistory(arn, { limit: 30_000 })) as readonly Event[];
  const found = [[...own]];
  for (const run of await engine.listMapRuns(arn))
    for (const child of await engine.listExecutions({ mapRunArn: run.arn, limit: 1_000 }))
      found.push(...(await histories({ engine } as Bench, child.executionArn)));
  return found;
}

/** How often each Task was finished, by name. */
function finished(all: readonly (readonly Event[])[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const event of all.flat()) {
    if (event.type !== 'TaskStateExited') continue;
    const { name } = event['stateExitedEventDetails'] as { name: string };
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** A world whose calls fail, and whose tokens stay unanswered, as the faults say, until it is calmed. */
function troubled(faults: readonly boolean[]) {
  let call = 0;
  let calm = faults.length === 0;
  const fails = () => {
    call += 1;
    return !calm && faults[call % faults.length] === true;
  };
  const bench: Bench = makeBench({
    functions: {
      work: () => {
        if (fails()) throw Object.assign(new Error('flaky'), { name: 'Flaky' });
        return { done: true };
      },
      ask: ({ token }: { token: string }) => {
        if (!fails())
          setImmediate(() => void bench.engine.sendTaskSuccess(token, { told: true }).catch(() => {}));
        return {};
      },
    },
  });
  return {
    bench,
    calm: () => {
      calm = true;
    },
  };
}

const faults = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 });

/** Runs a machine until it is over or nothing but a token can take it further. */
async function runOrWait({ bench }: ReturnType<typeof troubled>, definition: Tree): Promise<string> {
  bench.engine.registerMachine({ name: 'm', definition });
  const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: { start: 1 } });
  await bench.until(executionArn, 20_000).catch((error: Error) => {
    // Tokens time out after 99,999,999 seconds: until then they are waited for.
    if (!error.message.includes('still running')) throw error;
  });
  expect(bench.faults).toEqual([]);
  return executionArn;
}

describe('random machines under random faults', () => {
  it('end or wait for a token, with well-formed histories; a redrive ends where an undisturbed run ends and finishes no Task twice', async () => {
    let redriven = 0;
    let waited = 0;
    await fc.assert(
      fc.asyncProperty(states(false), faults, async (block, when) => {
        const definition = { QueryLanguage: 'JSONata', ...placed(block) };
        const clean = troubled([]);
        const cleanArn = await runOrWait(clean, definition);
        const wanted = await clean.bench.engine.describeExecution(cleanArn);
        expect(wanted.status).toBe('SUCCEEDED');
        const world = troubled(when);
        const arn = await runOrWait(world, definition);
        let found = await world.bench.engine.describeExecution(arn);
        for (const history of await histories(world.bench, arn)) checkForm(history);
        if (found.status === 'RUNNING') {
          waited += 1;
          await world.bench.engine.stopExecution(arn, { error: 'Stopped', cause: 'waits' });
          found = await world.bench.engine.describeExecution(arn);
        }
        if (found.status !== 'SUCCEEDED') {
          redriven += 1;
          world.calm();
          await world.bench.engine.redriveExecution(arn);
          found = await world.bench.until(arn, 20_000);
          expect(found).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1 });
        }
        expect(found.output).toEqual(wanted.output);
        const all = await histories(world.bench, arn);
        for (const history of all) checkForm(history);
        expect(finished(all)).toEqual(finished(await histories(clean.bench, cleanArn)));
      }),
      { numRuns: 200 },
    );
    expect(redriven).toBeGreaterThan(20);
    expect(waited).toBeGreaterThan(5);
  }, 120_000);

  it('with catchers and retriers around them end or wait for a token, with well-formed histories', async () => {
    await fc.assert(
      fc.asyncProperty(states(true), faults, async (block, when) => {
        const world = troubled(when);
        const arn = await runOrWait(world, { QueryLanguage: 'JSONata', ...placed(block) });
        for (const history of await histories(world.bench, arn)) checkForm(history);
        const { status } = await world.bench.engine.describeExecution(arn);
        expect(status).toMatch(/^(SUCCEEDED|FAILED|RUNNING)$/);
      }),
      { numRuns: 200 },
    );
  }, 120_000);
});
