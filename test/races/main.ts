import { parseArgs } from 'node:util';
import { explore, openKinds, playAgain } from './explore.ts';
import { readChoices } from './replay.ts';
import { scenarioOf, scenarios } from './scenarios.ts';

const usage = `npm run test:races -- [options]: explores the interleavings of everything that works on a run
  --kind memory|dynamodb   one kind of stores instead of both
  --scenario <name>        one scenario instead of all
  --minutes <n>            random schedules for so long, after the searches (0)
  --seed <n>               of the random schedules (1)
  --search-seconds <n>     processor time of each search (4)
  --mutant-seconds <n>     processor time of each condition that is taken out; 0: none is (5)
  --deep                   at most 3 preemptions and 2 faults after 2 and 1
  --replay <scenario>@<kind>@<choices>   plays one schedule again`;

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Milliseconds of processor time: what others do on the same machine does not shorten a search. */
const now = () => process.cpuUsage().user / 1000;

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new Error(`--${name} wants a number, not "${text}".`);
}

function asked() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: {
      kind: text,
      scenario: text,
      replay: text,
      help: flag,
      deep: flag,
      minutes: { ...text, default: '0' },
      seed: { ...text, default: '1' },
      'search-seconds': { ...text, default: '4' },
      'mutant-seconds': { ...text, default: '5' },
    },
  });
  return values;
}

async function again(text: string): Promise<number> {
  const [name = '', kind = '', choices = ''] = text.split('@');
  if (!openKinds[kind])
    throw new Error(`There is no kind of stores "${kind}"; there are: ${Object.keys(openKinds).join(', ')}.`);
  return (await playAgain(scenarioOf(name), kind, readChoices(choices), print)) ? 1 : 0;
}

async function main(): Promise<number> {
  const values = asked();
  if (values.help) {
    print(usage);
    return 0;
  }
  if (values.replay !== undefined) return again(values.replay);
  const kinds = values.kind === undefined ? Object.keys(openKinds) : [values.kind];
  const chosen = values.scenario === undefined ? scenarios : [scenarioOf(values.scenario)];
  const first = { preemptions: 2, faults: 1 };
  let failed = 0;
  for (const kind of kinds) {
    if (!openKinds[kind])
      throw new Error(
        `There is no kind of stores "${kind}"; there are: ${Object.keys(openKinds).join(', ')}.`,
      );
    const begun = performance.now();
    const explored = await explore({
      scenarios: chosen,
      whole: values.scenario === undefined,
      kind,
      now,
      print,
      bounds: values.deep ? [first, { preemptions: 3, faults: 2 }] : [first],
      searchMs: numberOf('search-seconds', values['search-seconds']) * 1000,
      walkMs: (numberOf('minutes', values.minutes) * 60_000) / kinds.length,
      mutantMs: numberOf('mutant-seconds', values['mutant-seconds']) * 1000,
      seed: numberOf('seed', values.seed),
    });
    const { schedules, states, ms, broken, conditions, takenOut, found, faults } = explored;
    const wall = Math.round((performance.now() - begun) / 1000);
    print(
      `\n${kind}: ${schedules} schedules, ${states} states, ${Math.round(schedules / (ms / 1000))} schedules a second of processor time, ${wall} s; ${broken} promises broken; ${conditions} conditions, ${takenOut} taken out, ${found} found`,
    );
    for (const fault of faults) print(`  FAULT: ${fault}`);
    failed += faults.length;
    if (schedules === 0) throw new Error(`Nothing was explored on ${kind}.`);
  }
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
  process.exitCode = 2;
}
