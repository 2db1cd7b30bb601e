import type { Actor } from './actors.ts';
import { commute, type Footprint } from './footprint.ts';
import { promises } from './invariants.ts';
import type { Scenario } from './scenario.ts';
import type { StoreKind } from './store-kinds.ts';
import { type Broken, type Option, Trial } from './trial.ts';

/** What a schedule spent: switches away from somebody who could go on, and faults. */
export interface Cost {
  readonly preemptions: number;
  readonly faults: number;
}

/** One schedule that was played. */
export interface Played {
  /** Index of the option that was taken, by step, among those that were not asleep. */
  readonly chosen: readonly number[];
  /** The same among all options: what a replay takes. */
  readonly whole: readonly number[];
  /** What each step was, in words. */
  readonly trace: readonly string[];
  readonly cost: Cost;
  readonly broken?: Broken;
  /** A short name of everything that is stored at the end. */
  readonly end?: string;
  /** Why it was not played to its end: an equal state is explored already, or an equal order is. */
  readonly cut?: 'state' | 'order';
}

/** What decides the steps of a schedule. */
export interface Director {
  /** The option to take at this depth, of those that are not asleep. */
  choose(depth: number, options: readonly Option[], at: Trial): number;
  /** Told of every new point before the choice; `false` cuts the schedule here. */
  arrive?(
    depth: number,
    options: readonly Option[],
    at: { trial: Trial; cost: Cost; asleep: ReadonlyMap<string, Footprint> },
  ): boolean;
  /** Whether commuting calls are played in one order only. */
  readonly oneOrder: boolean;
}

/** More steps than any schedule takes. */
const longest = 400;

const nameOf = (actor: Actor, nth: number | undefined) => `${actor.name} ${nth}`;

/** What taking an option costs where `last` could have gone on. */
export function costOf(option: Option, last: Actor | undefined): Cost {
  const preempts = last?.state === 'running' && option.actor !== last;
  return { preemptions: preempts ? 1 : 0, faults: option.outcome === 'done' ? 0 : 1 };
}

/** The sum of two costs. */
export const plus = (one: Cost, other: Cost): Cost => ({
  preemptions: one.preemptions + other.preemptions,
  faults: one.faults + other.faults,
});

/**
 * Who sleeps after an option was taken: whoever was switched away from, before a call that commutes with what was done
 * instead. That call first and the other one after it is explored as well, and never costs more.
 */
function sleepersAfter(
  option: Option,
  trial: Trial,
  asleep: ReadonlyMap<string, Footprint>,
): Map<string, Footprint> {
  const next = new Map(asleep);
  const { last } = trial;
  if (last?.state === 'running' && option.actor !== last)
    for (const { nth, footprint } of last.points) next.set(nameOf(last, nth), footprint);
  for (const [name, footprint] of next) if (!commute(footprint, option.footprint)) next.delete(name);
  return next;
}

const isAsleep = ({ actor, nth }: Option, asleep: ReadonlyMap<string, Footprint>) =>
  actor !== undefined && nth !== undefined && asleep.has(nameOf(actor, nth));

/** Plays one schedule of a scenario from its beginning. */
export async function play(scenario: Scenario, kind: StoreKind, director: Director): Promise<Played> {
  const trial = new Trial(scenario, kind);
  try {
    return await playIn(trial, director);
  } finally {
    await trial.end();
  }
}

async function playIn(trial: Trial, director: Director): Promise<Played> {
  const { scenario } = trial;
  await scenario.prepare(trial);
  trial.stores.index?.lag();
  trial.begin();
  await trial.settle();
  const chosen: number[] = [];
  const whole: number[] = [];
  const trace: string[] = [];
  let cost: Cost = { preemptions: 0, faults: 0 };
  let asleep: ReadonlyMap<string, Footprint> = new Map();
  for (let depth = 0; !trial.broken; depth += 1) {
    if (depth > longest)
      trial.broken = {
        promise: promises.ends,
        detail: `it goes round and round: ${trace.slice(-6).join(' > ')}`,
      };
    const all = trial.options();
    const options = all.filter((option) => !isAsleep(option, asleep));
    if (options.length === 0) return { chosen, whole, trace, cost, cut: 'order' };
    if (director.arrive?.(depth, options, { trial, cost, asleep }) === false)
      return { chosen, whole, trace, cost, cut: 'state' };
    const index = director.choose(depth, options, trial);
    const option = options[index] ?? options[0];
    if (!option) break;
    chosen.push(index);
    whole.push(all.indexOf(option));
    trace.push(option.key);
    cost = plus(cost, costOf(option, trial.last));
    if (director.oneOrder) asleep = sleepersAfter(option, trial, asleep);
    if (option.key === 'rest') break;
    await trial.take(option);
  }
  if (!trial.broken) await trial.close();
  const end = trial.stores.state();
  return { chosen, whole, trace, cost, end, ...(trial.broken ? { broken: trial.broken } : {}) };
}
