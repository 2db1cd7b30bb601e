import type { Engine } from '../../local/asl/engine/engine.ts';
import { MemoryJournal } from '../../local/asl/journal/memory.ts';
import { makeEngine } from './engines.ts';

/** Expressions that blocked or ended the whole process when they were evaluated in it. */
const hostile = [
  "$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /^(a+)+$/)",
  '$count($sort([1..100000]))',
  '$count([1..100000]^(>$))',
  '$count($distinct([1..20000].{"a": $}))',
  "$pad('a', 500000000)",
  "($f := function($s, $n){ $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f('x', 30)))",
  '$reduce([1..300000], function($a, $b){ $a + $b })',
  '$string([1..9999999])',
  '($f := function($x){ $f($x + 1) }; $f(1))',
  "$length($fromMillis(0, '[Y,500000000-500000000]'))",
];

/** A machine that evaluates every second, whether that succeeds or not. */
function endless(expression: string) {
  const branch = {
    StartAt: 'E',
    States: { E: { Type: 'Pass', Output: `{% ${expression} %}`, End: true } },
  };
  return {
    QueryLanguage: 'JSONata',
    StartAt: 'Try',
    States: {
      Try: {
        Type: 'Parallel',
        Branches: [branch],
        Output: {},
        Catch: [{ ErrorEquals: ['States.ALL'], Output: {}, Next: 'Wait' }],
        Next: 'Wait',
      },
      Wait: { Type: 'Wait', Seconds: 1, Next: 'Again' },
      Again: {
        Type: 'Choice',
        Choices: [{ Condition: false, Next: 'Never' }],
        Default: 'Try',
      },
      Never: { Type: 'Succeed' },
    },
  };
}

const states = 10;

/** A chain of states with one expression each. */
function chainOf(expression: string) {
  const names = Array.from({ length: states }, (_, index) => `S${index}`);
  return {
    QueryLanguage: 'JSONata',
    StartAt: 'S0',
    States: Object.fromEntries(
      names.map((name, index) => [
        name,
        {
          Type: 'Pass',
          Output: { n: `{% ${expression} %}` },
          ...(index === states - 1 ? { End: true } : { Next: names[index + 1] }),
        },
      ]),
    ),
  };
}

/** Milliseconds a transition takes, over many executions one after the other. */
async function transitions(engine: Engine, machine: string, executions: number): Promise<number[]> {
  const taken: number[] = [];
  for (let count = 0; count < executions; count += 1) {
    const began = performance.now();
    const { executionArn } = await engine.startExecution({ machine, input: { n: 1 } });
    const done = await engine.settled(executionArn);
    if (done.status !== 'SUCCEEDED') throw new Error(`${done.error}: ${done.cause}`);
    taken.push((performance.now() - began) / states);
    // Others get their turn, as they do between the steps of real work.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return taken.sort((a, b) => a - b);
}

const share = (sorted: readonly number[], at: number) => sorted[Math.floor(sorted.length * at)] ?? 0;

async function measure(engine: Engine, executions: number) {
  const figures: Record<string, { p50: number; p99: number }> = {};
  for (const machine of ['plain', 'library']) {
    const taken = await transitions(engine, machine, executions);
    figures[machine] = { p50: share(taken, 0.5), p99: share(taken, 0.99) };
  }
  return figures;
}

/**
 * Milliseconds a transition of other executions takes, quiet and while ten hostile executions evaluate every second, or without pause where that takes longer.
 * `plain` expressions are evaluated in the engine's process, `library` ones outside of it.
 */
export async function benchHostile(): Promise<Record<string, unknown>> {
  const engine = makeEngine(new MemoryJournal());
  engine.registerMachine({ name: 'plain', definition: chainOf('$states.input.n + 1') });
  engine.registerMachine({ name: 'library', definition: chainOf('$sum([$states.input.n, 1])') });
  await measure(engine, 50);
  const quiet = await measure(engine, 1_000);
  const running: string[] = [];
  for (const [index, expression] of hostile.entries()) {
    engine.registerMachine({ name: `hostile-${index}`, definition: endless(expression) });
    const { executionArn } = await engine.startExecution({ machine: `hostile-${index}`, input: {} });
    running.push(executionArn);
  }
  // Each of them is tried once, and known from then on.
  await measure(engine, 500);
  const beside = await measure(engine, 1_000);
  for (const arn of running) await engine.stopExecution(arn, { error: 'Done', cause: 'measured' });
  await engine.close();
  const ratio = (machine: string) => (beside[machine]?.p99 ?? 0) / (quiet[machine]?.p99 ?? 1);
  return {
    hostileExecutions: hostile.length,
    millisecondsPerTransition: { quiet, beside },
    p99Ratio: { plain: ratio('plain'), library: ratio('library') },
    target: '<= 2 times quiet',
  };
}
