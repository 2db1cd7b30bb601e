import type { Footprint } from './footprint.ts';
import type { Scenario } from './scenario.ts';
import { type Cost, costOf, type Director, type Played, play, plus } from './schedule.ts';
import type { StoreKind } from './store-kinds.ts';
import type { Option, Trial } from './trial.ts';

/** A schedule that broke a promise. */
export interface Finding {
  readonly promise: string;
  readonly detail: string;
  readonly whole: readonly number[];
  readonly trace: readonly string[];
  /** Which schedule it was, from 1. */
  readonly at: number;
}

/** How far a search goes. */
export interface Bounds {
  readonly preemptions: number;
  readonly faults: number;
}

/** A schedule up to the step at which a condition alone refused a write: without that condition it goes otherwise from there. */
export interface Refusal {
  readonly of: readonly number[];
  readonly depth: number;
}

/** What a search did. */
export interface SearchReport {
  readonly schedules: number;
  /** Different points that schedules came by. */
  readonly states: number;
  readonly ms: number;
  /** Whether every schedule within the bounds was played, or found equal to one that was. */
  readonly complete: boolean;
  /** The first schedule that broke each promise. */
  readonly findings: readonly Finding[];
  /** Schedules that broke a promise. */
  readonly broken: number;
  /** What was stored in the end, in short names: every different end of a schedule. */
  readonly ends: ReadonlySet<string>;
  /** The first different refusals of each condition. */
  readonly refusals: ReadonlyMap<string, readonly Refusal[]>;
}

/** What a search may use up. */
export interface SearchOptions {
  readonly bounds: Bounds;
  /** Milliseconds. */
  readonly limitMs: number;
  readonly maxSchedules?: number;
  readonly now: () => number;
  /** Whether a broken promise ends the search. */
  readonly stopAt?: (promise: string) => boolean;
  /** Without reductions every order is played: for showing that they lose nothing. */
  readonly reduce?: boolean;
  /** Only what comes after these is searched. Absent: everything. */
  readonly after?: readonly Refusal[];
}

/** Refusals of one condition that are kept of one search. */
const refusalsKept = 40;

/** A schedule to be played: one that was played, up to a step, and then another option. */
interface Plan {
  readonly of: readonly number[];
  readonly depth: number;
  readonly option: number;
}

/** At which cost, and with whom asleep, a state was come by. */
interface Visit {
  readonly cost: Cost;
  readonly asleep: ReadonlySet<string>;
}

const covers = (earlier: Visit, cost: Cost, asleep: ReadonlyMap<string, Footprint>) =>
  earlier.cost.preemptions <= cost.preemptions &&
  earlier.cost.faults <= cost.faults &&
  [...earlier.asleep].every((name) => asleep.has(name));

/** Plays all schedules within bounds, cheapest first, equal states once, commuting calls in one order. */
class Search {
  readonly #scenario: Scenario;
  readonly #kind: StoreKind;
  readonly #options: SearchOptions;
  /** Plans by the preemptions and faults they spend together. */
  readonly #plans: { readonly list: Plan[]; next: number }[] = [];
  readonly #visits = new Map<string, Visit[]>();
  readonly #findings = new Map<string, Finding>();
  readonly #ends = new Set<string>();
  readonly #refusals = new Map<string, Map<string, Refusal>>();
  #schedules = 0;
  #broken = 0;

  constructor(scenario: Scenario, kind: StoreKind, options: SearchOptions) {
    this.#scenario = scenario;
    this.#kind = kind;
    this.#options = options;
  }

  #next(): Plan | undefined {
    for (const plans of this.#plans) {
      const plan = plans?.list[plans.next];
      if (!plan) continue;
      plans.next += 1;
      return plan;
    }
    return undefined;
  }

  #add(plan: Plan, rank: number): void {
    this.#plans[rank] ??= { list: [], next: 0 };
    this.#plans[rank]?.list.push(plan);
  }

  async run(): Promise<SearchReport> {
    const { limitMs, now, maxSchedules = Number.POSITIVE_INFINITY, stopAt } = this.#options;
    const begun = now();
    let complete = false;
    for (const { of, depth } of this.#options.after ?? [{ of: [], depth: -1 }])
      this.#add({ of, depth, option: of[depth] ?? 0 }, 0);
    while (now() - begun < limitMs && this.#schedules < maxSchedules) {
      const plan = this.#next();
      if (!plan) complete = true;
      if (!plan || (stopAt && [...this.#findings.keys()].some(stopAt))) break;
      // Others who share the process (a test's time limit, for one) come to their turn.
      if (this.#schedules % 50 === 0) await new Promise<void>((next) => setImmediate(next));
      this.#kind.guards.alone = [];
      const played = await play(this.#scenario, this.#kind, this.#director(plan));
      this.#noteRefusals(played.chosen, played.end ?? '');
      this.#note(played);
    }
    const findings = [...this.#findings.values()];
    const ms = now() - begun;
    return {
      schedules: this.#schedules,
      states: this.#visits.size,
      ms,
      complete,
      findings,
      broken: this.#broken,
      ends: this.#ends,
      refusals: new Map([...this.#refusals].map(([name, kept]) => [name, [...kept.values()]])),
    };
  }

  #note({ broken, whole, trace, end }: Played): void {
    this.#schedules += 1;
    if (end !== undefined) this.#ends.add(end);
    if (!broken) return;
    this.#broken += 1;
    if (!this.#findings.has(broken.promise))
      this.#findings.set(broken.promise, { ...broken, whole, trace, at: this.#schedules });
  }

  /** Notes what was refused by the last of these steps; the same refusal in the same state once. */
  #noteRefusals(chosen: readonly number[], state: string): void {
    const { guards } = this.#kind;
    for (const name of guards.alone) {
      const kept = this.#refusals.get(name) ?? new Map<string, Refusal>();
      this.#refusals.set(name, kept);
      if (kept.size < refusalsKept && !kept.has(state))
        kept.set(state, { of: [...chosen], depth: chosen.length - 1 });
    }
    guards.alone = [];
  }

  #director({ of, depth: from, option }: Plan): Director {
    const chosen: number[] = [];
    const reduce = this.#options.reduce ?? true;
    return {
      oneOrder: reduce,
      arrive: (depth, options, { trial, cost, asleep }) => {
        if (depth <= from) {
          this.#kind.guards.alone = [];
          return true;
        }
        if (this.#kind.guards.alone.length > 0) this.#noteRefusals(chosen, trial.state());
        if (reduce && this.#isKnown(trial, cost, asleep)) return false;
        this.#branch(options, { of: chosen, depth, trial, cost });
        return true;
      },
      choose: (depth) => {
        const index = depth < from ? (of[depth] ?? 0) : depth === from ? option : 0;
        chosen.push(index);
        return index;
      },
    };
  }

  #isKnown(trial: Trial, cost: Cost, asleep: ReadonlyMap<string, Footprint>): boolean {
    const state = trial.state();
    const visits = this.#visits.get(state);
    if (!visits) this.#visits.set(state, [{ cost, asleep: new Set(asleep.keys()) }]);
    else if (visits.some((visit) => covers(visit, cost, asleep))) return true;
    else visits.push({ cost, asleep: new Set(asleep.keys()) });
    return false;
  }

  #branch(
    options: readonly Option[],
    at: { of: readonly number[]; depth: number; trial: Trial; cost: Cost },
  ): void {
    const { preemptions, faults } = this.#options.bounds;
    for (let option = 1; option < options.length; option += 1) {
      const taken = options[option];
      if (!taken) continue;
      const cost = plus(at.cost, costOf(taken, at.trial.last));
      if (cost.preemptions > preemptions || cost.faults > faults) continue;
      this.#add({ of: at.of, depth: at.depth, option }, cost.preemptions + cost.faults);
    }
  }
}

/** Searches a scenario's schedules within bounds. */
export function search(scenario: Scenario, kind: StoreKind, options: SearchOptions): Promise<SearchReport> {
  return new Search(scenario, kind, options).run();
}
