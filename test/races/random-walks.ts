import type { Random } from '../../lib/ports/random.ts';
import { seededRandom } from '../../local/clock/seeded-random.ts';
import type { Scenario } from './scenario.ts';
import { type Director, play } from './schedule.ts';
import type { Finding } from './search.ts';
import type { StoreKind } from './store-kinds.ts';
import type { Option } from './trial.ts';

/** What random walks did. */
export interface WalkReport {
  readonly schedules: number;
  readonly ms: number;
  readonly findings: readonly Finding[];
}

/** One call in so many meets a fault, as long as the walk has some left. */
const faultEvery = 12;

/** Faults of one walk. */
const mostFaults = 3;

const isFault = ({ outcome }: Option) => outcome !== 'done';

/** Picks a fault now and then, otherwise leaves the choice to `pick`. */
function withFaults(
  random: Random,
  pick: (options: readonly Option[]) => Option | undefined,
): Director['choose'] {
  let left = mostFaults;
  return (_, options) => {
    const faults = options.filter(isFault);
    const wantsFault = left > 0 && faults.length > 0 && random() < 1 / faultEvery;
    if (wantsFault) left -= 1;
    const taken = wantsFault
      ? faults[Math.floor(random() * faults.length)]
      : pick(options.filter((one) => !isFault(one)));
    return Math.max(0, options.indexOf(taken as Option));
  };
}

/** Every option is as likely as any other. */
function uniform(random: Random): Director {
  const pick = (options: readonly Option[]) => options[Math.floor(random() * options.length)];
  return { oneOrder: false, choose: withFaults(random, pick) };
}

/** Changes of priority of one walk, within its first steps. */
const changes = { count: 3, within: 60 };

/**
 * Priorities (PCT): whoever is most important goes on until a change makes it the least important. With few changes this finds
 * a race that takes few switches with a known probability, wherever it lies.
 */
function byPriority(random: Random): Director {
  const priorities = new Map<string, number>();
  const changeAt = new Set(
    Array.from({ length: changes.count }, () => Math.floor(random() * changes.within)),
  );
  let step = 0;
  let least = 0;
  const ownerOf = ({ actor, key }: Option) => actor?.name ?? key;
  const priority = (option: Option) => {
    const owner = ownerOf(option);
    const known = priorities.get(owner) ?? random();
    priorities.set(owner, known);
    return known;
  };
  const pick = (options: readonly Option[]) => {
    // Nothing is left that is no fault: the choice falls to the first of all.
    if (options.length === 0) return undefined;
    const best = options.reduce((one, other) => (priority(other) > priority(one) ? other : one));
    if (changeAt.has(step)) {
      least -= 1;
      priorities.set(ownerOf(best), least);
    }
    step += 1;
    return best;
  };
  return { oneOrder: false, choose: withFaults(random, pick) };
}

/** Plays seeded schedules, in turn uniformly and by priorities, until the time is up. The same seed plays the same ones. */
export async function walk(
  scenario: Scenario,
  kind: StoreKind,
  {
    seed,
    limitMs,
    now,
    maxSchedules = Number.POSITIVE_INFINITY,
  }: { seed: number; limitMs: number; now: () => number; maxSchedules?: number },
): Promise<WalkReport> {
  const begun = now();
  const findings = new Map<string, Finding>();
  let schedules = 0;
  while (now() - begun < limitMs && schedules < maxSchedules) {
    if (schedules % 50 === 0) await new Promise<void>((next) => setImmediate(next));
    const random = seededRandom(seed + schedules);
    const { broken, whole, trace } = await play(
      scenario,
      kind,
      schedules % 2 === 0 ? uniform(random) : byPriority(random),
    );
    schedules += 1;
    if (broken && !findings.has(broken.promise))
      findings.set(broken.promise, { ...broken, whole, trace, at: schedules });
  }
  return { schedules, ms: now() - begun, findings: [...findings.values()] };
}
