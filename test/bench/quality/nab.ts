import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { newDetector, observe } from '../../../lib/quality/detector.ts';
import { seededRandom } from '../../../local/clock/seeded-random.ts';
import { at, best, type NabFile, type Outcome, type Scored, scored } from './nab-score.ts';

/** Seeded halves of the corpus by which thresholds are chosen and tried. */
const splits = 50;

/** False alarms among 1,000 rows that people bear. */
const few = 0.1;

interface Stored {
  readonly name: string;
  /** The score that the corpus itself states. */
  readonly stated: number;
}

const linesOf = (path: string) => readFileSync(path, 'utf8').trim().split(/\r?\n/);

function readFile(folder: string, name: string, windows: readonly (readonly [string, string])[]): NabFile {
  const rows = linesOf(join(folder, 'data', name)).slice(1);
  const cells = rows.map((row) => row.split(','));
  return {
    name,
    times: cells.map(([time = '']) => time.slice(0, 19)),
    values: cells.map(([, value]) => Number(value)),
    windows: windows.map(([left, right]) => [left.slice(0, 19), right.slice(0, 19)] as const),
  };
}

/** Files of the corpus in the order of their names. */
function readCorpus(folder: string): NabFile[] {
  const labels = JSON.parse(readFileSync(join(folder, 'labels/combined_windows.json'), 'utf8')) as Record<
    string,
    [string, string][]
  >;
  return Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, windows]) => readFile(folder, name, windows));
}

function storedScores(folder: string, detector: string, { name }: NabFile): Float64Array {
  const path = join(folder, 'results', detector, dirname(name), `${detector}_${basename(name)}`);
  const [head = '', ...rows] = linesOf(path);
  const column = head.split(',').indexOf('anomaly_score');
  return Float64Array.from(rows, (row) => Number(row.split(',')[column]));
}

/**
 * The product's detector over a file, with its own settings (those of a number without hours of the week), the same for every file:
 * with the silence after an alarm that the product keeps, or without.
 */
function surprisesOf({ times, values }: NabFile, silence: boolean): Float64Array {
  let state = newDetector({ weekly: false });
  return Float64Array.from(values, (value, index) => {
    const at = Date.parse(`${times[index]?.replace(' ', 'T')}Z`);
    const { judgement, state: next } = observe(state, { at, value, sampling: 0 });
    state = next;
    return judgement.news || !silence ? judgement.surprise : 0;
  });
}

const rounded = (value: number) => Math.round(value * 100) / 100;

/** Mean and standard deviation of the scores on halves that the threshold was not chosen by. */
function heldOut(all: Scored, halves: readonly (readonly [ReadonlySet<number>, ReadonlySet<number>])[]) {
  const scores = halves.map(([one, other]) => at(all, other, best(all, one).threshold).score);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (scores.length - 1);
  return { mean: rounded(mean), spread: rounded(Math.sqrt(variance)), splits: scores.length };
}

const shown = ({ score, recall, falsePerThousand }: Outcome) => ({
  score: rounded(score),
  recall: rounded(recall),
  falsePerThousand: rounded(falsePerThousand),
});

/** Random halves of the files, each used both ways. */
function halvesOf(files: number) {
  const random = seededRandom(20_261_127);
  return Array.from({ length: splits }, () => {
    const order = Array.from({ length: files }, (_, file) => ({ file, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ file }) => file);
    const middle = Math.floor(files / 2);
    return [new Set(order.slice(0, middle)), new Set(order.slice(middle))] as const;
  });
}

function figuresOf(all: Scored, halves: ReturnType<typeof halvesOf>) {
  const every = new Set(all.windowsOf.keys());
  return {
    whole: rounded(best(all, every).score),
    heldOut: heldOut(all, halves),
    withFewFalse: shown(best(all, every, few)),
  };
}

/**
 * The product's detector over the Numenta Anomaly Benchmark in `folder`, beside every detector whose results are stored there and
 * under the same protocol. The scorer is tried by those at the thresholds that are stored with them: `largestDifference` is the largest one
 * to the scores that the corpus states.
 */
export function benchNab(folder: string): Record<string, unknown> {
  if (!existsSync(join(folder, 'labels/combined_windows.json')))
    throw new Error(`${folder} is no checkout of numenta/NAB: labels/combined_windows.json is missing.`);
  const files = readCorpus(folder);
  const halves = halvesOf(files.length);
  const own = (silence: boolean) => {
    const scores = files.map((file) => surprisesOf(file, silence));
    return figuresOf(scored(files, scores), halves);
  };
  const finals = JSON.parse(readFileSync(join(folder, 'results/final_results.json'), 'utf8')) as Record<
    string,
    { standard: number }
  >;
  const there = new Set(readdirSync(join(folder, 'results')));
  const stored: Stored[] = Object.entries(finals)
    .filter(([name]) => there.has(name))
    .map(([name, { standard }]) => ({ name, stated: standard }));
  const thresholds = JSON.parse(readFileSync(join(folder, 'config/thresholds.json'), 'utf8')) as Record<
    string,
    { standard: { threshold: number } }
  >;
  const every = new Set(files.keys());
  const peers = stored.map(({ name, stated }) => {
    const scores = files.map((file) => storedScores(folder, name, file));
    const all = scored(files, scores);
    const again = at(all, every, thresholds[name]?.standard.threshold ?? Number.NaN).score;
    return { name, stated: rounded(stated), ...figuresOf(all, halves), difference: Math.abs(again - stated) };
  });
  return {
    files: files.length,
    windows: files.reduce((sum, { windows }) => sum + windows.length, 0),
    epsilon: own(true),
    epsilonWithoutSilence: own(false),
    reproduced: peers.length,
    largestDifference: Math.max(...peers.map(({ difference }) => difference)),
    peers: peers.toSorted((a, b) => b.stated - a.stated).map(({ difference: _, ...figures }) => figures),
  };
}
