import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { compilePattern } from '../../../local/bus/pattern.ts';
import { seededRandom } from '../../../local/clock/seeded-random.ts';
import { conclude, installPackage, works } from '../debian.ts';
import { createGenerator, type Pair, withoutChoices } from './generate.ts';

/**
 * `npm run test:conformance:event-patterns [-- COUNT SEED]`: generated patterns and events, matched here and by EventBridge's own
 * matcher (aws/event-ruler). What is refused there has to be refused here; answers have to be the same.
 */
const version = '2.0.1';
const folder = join(import.meta.dirname, '../../../node_modules/.cache/event-ruler', version);

/** Refusals of patterns that the matcher takes and EventBridge's documentation rules out. */
const stricter: readonly { readonly says: RegExp; readonly why: string }[] = [
  { says: /the bound .*5,000,000,000/, why: 'numeric matching is documented for ±5,000,000,000' },
  { says: /"anything-but" of an empty/, why: 'an empty list negates nothing; it is a mistake' },
];

/** Differences of the answers with a reason, by the pattern. */
const explained: readonly { readonly has: RegExp; readonly why: string }[] = [
  { has: /"cidr":"[^"]*\/0"/, why: 'a block of all addresses matches numbers and other texts there' },
];

function fetchMatcher(): string | undefined {
  const missing =
    installPackage('openjdk-17-jdk-headless', () => works('javac', '-version')) ??
    installPackage('maven', () => works('mvn', '-version'));
  if (missing !== undefined || existsSync(join(folder, `event-ruler-${version}.jar`))) return missing;
  const pom = join(import.meta.dirname, 'pom.xml');
  const goal = 'dependency:copy-dependencies';
  try {
    execFileSync('mvn', ['-q', '-B', '-f', pom, goal, `-DoutputDirectory=${folder}`], { stdio: 'pipe' });
  } catch (error) {
    return `Maven could not bring the matcher: ${(error as Error).message}`;
  }
  return undefined;
}

function answersThere(pairs: readonly Pair[]): string[] {
  const source = join(import.meta.dirname, 'Matcher.java');
  const output = execFileSync('java', ['-cp', join(folder, '*'), source], {
    input: pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  return output.trimEnd().split('\n');
}

function answerHere({ pattern, event }: Pair): string {
  try {
    return String(compilePattern(pattern)(event));
  } catch (error) {
    if (error instanceof EpsilonError) return `refused ${error.message}`;
    throw error;
  }
}

function choiceByChoice({ pattern, event }: Pair): string[] {
  return answersThere(withoutChoices(pattern as object).map((each) => ({ pattern: each, event })));
}

/** A sentence when the two answers differ without a reason; counts what was seen under `seen`. */
function compare(pair: Pair, here: string, there: string, seen: Map<string, number>): string | undefined {
  const [mine = '', theirs = ''] = [here, there].map((answer) => answer.split(' ')[0] ?? '');
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  if (mine === theirs) return void count(`both ${mine}`);
  // Its two searches disagree with each other (dotted names, lists of lists): then either answer is EventBridge's matcher's.
  if (theirs.includes('|')) return void count('explained: its two searches answer differently');
  const reason = mine === 'refused' ? stricter.find(({ says }) => says.test(here)) : undefined;
  if (reason) return void count(`stricter here: ${reason.why}`);
  const known =
    mine === 'refused' || theirs === 'refused'
      ? undefined
      : explained.find(({ has }) => has.test(JSON.stringify(pair.pattern)));
  if (known) return void count(`explained: ${known.why}`);
  if (
    mine !== 'refused' &&
    theirs !== 'refused' &&
    choiceByChoice(pair).includes('true') === (mine === 'true')
  )
    return void count('explained: it finds for the choices of $or one by one what it does not find for all');
  return `${JSON.stringify(pair)}\n  here: ${here}\n  there: ${there}`;
}

const [count = 20_000, seed = 1] = process.argv.slice(2).map(Number);
const missing = fetchMatcher();
if (missing !== undefined) conclude(0, [], missing);
else {
  const random = seededRandom(seed);
  const generate = createGenerator(random);
  const pairs = Array.from({ length: count }, generate);
  const there = answersThere(pairs);
  const seen = new Map<string, number>();
  const faults = pairs.flatMap(
    (pair, index) => compare(pair, answerHere(pair), there[index] ?? 'missing', seen) ?? [],
  );
  for (const [what, times] of [...seen].sort()) process.stdout.write(`${what}: ${times}\n`);
  for (const needed of ['both true', 'both false', 'both refused'])
    if (!seen.has(needed)) faults.push(`nothing was seen of "${needed}"`);
  conclude(pairs.length, faults);
}
