import { dynamoKind } from './dynamo-kind.ts';
import { type Excuse, excuses } from './excuses.ts';
import { Guards } from './guards.ts';
import { memoryKind } from './memory-kind.ts';
import { walk } from './random-walks.ts';
import { replay, shorten, writeChoices } from './replay.ts';
import type { Scenario } from './scenario.ts';
import type { Bounds, Finding } from './search.ts';
import {
  type Condition,
  conditionsOf,
  knownOf,
  type Mutant,
  type OpenKind,
  type Surveyed,
  survey,
  takeOut,
} from './survey.ts';

/** Ways to keep records that can be explored. */
export const openKinds: Readonly<Record<string, OpenKind>> = { memory: memoryKind, dynamodb: dynamoKind };

/** What an exploration is asked for. */
export interface ExploreOptions {
  readonly scenarios: readonly Scenario[];
  /** Whether these are all there are: only then is an excuse for nothing a fault. */
  readonly whole: boolean;
  /** A key of `openKinds`. */
  readonly kind: string;
  /** Searched one after the other. */
  readonly bounds: readonly Bounds[];
  /** Milliseconds of processor time for each search. */
  readonly searchMs: number;
  /** Milliseconds of processor time for random schedules of all scenarios together. */
  readonly walkMs: number;
  /** Milliseconds of processor time for each condition that is taken out. */
  readonly mutantMs: number;
  readonly seed: number;
  readonly now: () => number;
  readonly print: (line: string) => void;
}

/** What was explored and what of it is wrong. */
export interface Explored {
  readonly schedules: number;
  readonly states: number;
  readonly ms: number;
  readonly broken: number;
  readonly conditions: number;
  readonly takenOut: number;
  readonly found: number;
  /** A sentence each: what makes the run fail. */
  readonly faults: readonly string[];
}

const rate = (count: number, ms: number) => `${Math.round((count / Math.max(1, ms)) * 1000)}/s`;

/** Prints a broken promise with its schedule, made short, and how to play it again. */
async function printFinding(options: ExploreOptions, scenario: Scenario, finding: Finding): Promise<void> {
  const { print, kind } = options;
  const open = openKinds[kind] ?? memoryKind;
  print(`  BROKEN: ${finding.promise}: ${finding.detail} (schedule ${finding.at})`);
  const short = await shorten(scenario, open(new Guards()), finding);
  if (!short)
    print('    it does not break when it is played again: something in it is not determined by its choices');
  const { trace, whole } = short?.played ?? finding;
  for (const [at, step] of trace.entries()) print(`    ${String(at).padStart(3)} ${step}`);
  print(`    again: npm run test:races -- --replay "${scenario.name}@${kind}@${writeChoices(whole)}"`);
}

async function searchAll(options: ExploreOptions): Promise<Surveyed[]> {
  const { scenarios, kind, bounds, searchMs, now, print } = options;
  const open = openKinds[kind] ?? memoryKind;
  const all: Surveyed[] = [];
  for (const bound of bounds) {
    print(`\n${kind}: at most ${bound.preemptions} preemptions and ${bound.faults} faults`);
    for (const scenario of scenarios) {
      const found = await survey([scenario], open, { bounds: bound, limitMs: searchMs, now });
      all.push(...found);
      for (const { report } of found) {
        const { schedules, states, ms, complete, broken } = report;
        const extent = complete ? 'all' : 'cut off';
        print(
          `${scenario.name}: ${schedules} schedules (${extent}), ${states} states, ${rate(schedules, ms)}, ${broken} broken`,
        );
        for (const finding of report.findings) await printFinding(options, scenario, finding);
      }
    }
  }
  return all;
}

async function walkAll(
  options: ExploreOptions,
): Promise<{ schedules: number; ms: number; broken: string[] }> {
  const { scenarios, kind, walkMs, seed, now, print } = options;
  const open = openKinds[kind] ?? memoryKind;
  const total = { schedules: 0, ms: 0, broken: [] as string[] };
  if (walkMs === 0) return total;
  print(`\n${kind}: random schedules, uniform and by priorities, seed ${seed}`);
  for (const scenario of scenarios) {
    const limitMs = walkMs / scenarios.length;
    const { schedules, ms, findings } = await walk(scenario, open(new Guards()), { seed, limitMs, now });
    total.schedules += schedules;
    total.ms += ms;
    print(
      `${scenario.name}: ${schedules} schedules, ${rate(schedules, ms)}, ${findings.length} promises broken`,
    );
    for (const finding of findings) {
      total.broken.push(`${scenario.name}: ${finding.promise}`);
      await printFinding(options, scenario, finding);
    }
  }
  return total;
}

const patternOf = ({ of }: Excuse, kind: string): RegExp | undefined =>
  (of as Readonly<Record<string, RegExp>>)[kind];

const excuseOf = (kind: string, name: string): Excuse | undefined =>
  excuses.find((excuse) => patternOf(excuse, kind)?.test(name));

function faultOf({ condition, found }: Mutant, kind: string): string | undefined {
  const { name, alone } = condition;
  const excuse = excuseOf(kind, name);
  if (excuse && found) return `"${name}" is excused and was found all the same`;
  if (excuse?.implied && alone > 0)
    return `"${name}" is excused as implied, and alone refused ${alone} writes`;
  if (found || excuse) return undefined;
  return alone > 0
    ? `"${name}" was taken out and nobody noticed`
    : `"${name}" was never seen to refuse a write alone`;
}

async function takeOutAll(options: ExploreOptions, surveyed: readonly Surveyed[]): Promise<Mutant[]> {
  const { kind, bounds, mutantMs, now, print } = options;
  const open = openKinds[kind] ?? memoryKind;
  const conditions = conditionsOf(surveyed);
  const never = conditions.filter(({ alone }) => alone === 0);
  print(
    `\n${kind}: ${conditions.length} conditions of conditional writes; ${never.length} never seen to refuse a write alone:`,
  );
  for (const { name, lost } of never) {
    const excuse = excuseOf(kind, name);
    print(`  ${name} (lost ${lost} with others)${excuse ? `: ${excuse.why}` : ''}`);
  }
  if (mutantMs === 0) return [];
  print(`\n${kind}: each condition taken out in turn`);
  const known = knownOf(surveyed);
  const mutants: Mutant[] = [];
  for (const condition of conditions) {
    const effort = { bounds: bounds.at(-1) ?? { preemptions: 2, faults: 1 }, limitMs: mutantMs, now, known };
    const mutant = await takeOut(condition, open, effort);
    mutants.push(mutant);
    const { found, schedules } = mutant;
    const by =
      found && `found in ${found.scenario.name} by schedule ${found.finding.at}: ${found.finding.promise}`;
    const excuse = excuseOf(kind, condition.name) ? ', excused' : '';
    print(`  ${condition.name}: ${by ?? `not found in ${schedules} schedules${excuse}`}`);
  }
  return mutants;
}

/** Excuses of this kind of stores for conditions that no write has any more. */
function staleExcuses(kind: string, conditions: readonly Condition[]): string[] {
  const patterns = excuses.flatMap((excuse) => patternOf(excuse, kind) ?? []);
  return patterns
    .filter((pattern) => !conditions.some(({ name }) => pattern.test(name)))
    .map((pattern) => `${pattern} is excused, and no write that was explored has such a condition`);
}

/** Searches, walks, takes conditions out; prints everything as it goes. */
export async function explore(options: ExploreOptions): Promise<Explored> {
  const surveyed = await searchAll(options);
  const walked = await walkAll(options);
  const mutants = await takeOutAll(options, surveyed);
  const conditions = conditionsOf(surveyed);
  const sum = (of: (one: Surveyed) => number) => surveyed.reduce((total, one) => total + of(one), 0);
  const broken = surveyed.flatMap(({ scenario, report }) =>
    report.findings.map(({ promise }) => `${scenario.name}: ${promise}`),
  );
  const missed = mutants
    .map((mutant) => faultOf(mutant, options.kind))
    .filter((fault) => fault !== undefined);
  const stale = options.mutantMs > 0 && options.whole ? staleExcuses(options.kind, conditions) : [];
  return {
    schedules: sum(({ report }) => report.schedules) + walked.schedules,
    states: sum(({ report }) => report.states),
    ms: sum(({ report }) => report.ms) + walked.ms,
    broken: broken.length + walked.broken.length,
    conditions: conditions.length,
    takenOut: mutants.length,
    found: mutants.filter(({ found }) => found).length,
    faults: [...new Set([...broken, ...walked.broken]), ...missed, ...stale],
  };
}

/** Plays one schedule again and prints it; true when it breaks a promise. */
export async function playAgain(
  scenario: Scenario,
  kind: string,
  whole: readonly number[],
  print: (line: string) => void,
): Promise<boolean> {
  const { trace, broken } = await replay(scenario, (openKinds[kind] ?? memoryKind)(new Guards()), whole);
  for (const [at, step] of trace.entries()) print(`${String(at).padStart(3)} ${step}`);
  print(broken ? `BROKEN: ${broken.promise}: ${broken.detail}` : 'every promise was kept');
  return broken !== undefined;
}
