import { isDeepStrictEqual } from 'node:util';
import { callbackCases } from './callback-cases.ts';
import { type Case, jsonataCases, sharedCases } from './cases.ts';
import { type Outcome, runHere, runLocalStepFunctions } from './interpreters.ts';
import { MiniStack } from './ministack.ts';
import { systematic, verdicts } from './verdicts.ts';

/** `npm run test:conformance:asl`: the same machines here and on interpreters others wrote; every difference needs a verdict. */
interface Comparison {
  readonly peer: string;
  readonly name: string;
  readonly differences: readonly string[];
}

function differencesOf(here: Outcome, there: Outcome): string[] {
  const differences: string[] = [];
  for (const field of ['status', 'output', 'error'] as const) {
    if (!isDeepStrictEqual(here[field], there[field]))
      differences.push(
        `${field}: here ${JSON.stringify(here[field])}, there ${JSON.stringify(there[field])}`,
      );
  }
  // Branches and iterations may interleave differently: the states entered are compared as a multiset.
  if (!isDeepStrictEqual([...here.path].sort(), [...there.path].sort()))
    differences.push(`states: here ${here.path.join(' ')}, there ${there.path.join(' ')}`);
  return differences;
}

/** What an emulator leaves out everywhere is left out here as well; `systematic` says what and why. */
function topLevel(one: Case, outcome: Outcome): Outcome {
  const names = new Set(Object.keys(one.states));
  const { output, ...rest } = outcome;
  const kept = outcome.status === 'SUCCEEDED' ? { output } : {};
  return { ...rest, ...kept, path: outcome.path.filter((name) => names.has(name)) };
}

async function compare(
  peer: string,
  cases: readonly Case[],
  run: (one: Case, number: number) => Promise<Outcome>,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [number, one] of cases.entries()) {
    const here = await runHere(one);
    const there = await run(one, number).catch(
      (error: unknown): Outcome => ({ status: `did not run: ${String(error).split('\n')[0]}`, path: [] }),
    );
    const [left, right] = peer === 'ministack' ? [topLevel(one, here), topLevel(one, there)] : [here, there];
    comparisons.push({ peer, name: one.name, differences: differencesOf(left, right) });
  }
  return comparisons;
}

const comparisons = await compare('aws-local-stepfunctions', sharedCases, runLocalStepFunctions);
const emulator = await MiniStack.start();
if (emulator instanceof MiniStack) {
  try {
    const without = sharedCases.filter((one) => one.calls === undefined);
    comparisons.push(
      ...(await compare('ministack', [...without, ...jsonataCases, ...callbackCases], (one, number) =>
        emulator.run(one, number),
      )),
    );
  } finally {
    emulator.stop();
  }
} else process.stdout.write(`NOT COMPARED: ministack (${emulator.missing})\n`);

for (const { peer, difference, verdict } of systematic)
  process.stdout.write(`everywhere  ${peer}: ${difference}\n             verdict: ${verdict}\n`);

let unexplained = 0;
let explained = 0;
for (const { peer, name, differences } of comparisons) {
  const verdict = verdicts.find((one) => one.peer === peer && one.name === name);
  process.stdout.write(
    `${differences.length === 0 ? 'same     ' : verdict ? 'explained' : 'DIFFERENT'}  ${peer}: ${name}\n`,
  );
  for (const difference of differences) process.stdout.write(`             ${difference}\n`);
  if (differences.length > 0 && verdict) {
    explained += 1;
    process.stdout.write(`             verdict: ${verdict.verdict}\n`);
  } else if (differences.length > 0) unexplained += 1;
}
const peers = new Set(comparisons.map((comparison) => comparison.peer));
process.stdout.write(
  `${comparisons.length} comparisons with ${[...peers].join(' and ')}: ${comparisons.length - explained - unexplained} same, ${explained} explained, ${unexplained} unexplained\n`,
);
process.stdout.write(`${comparisons.length - unexplained} passed, ${unexplained} failed\n`);
process.exitCode = comparisons.length > 0 && unexplained === 0 ? 0 : 1;
