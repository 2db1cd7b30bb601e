import { Guards, type Verdicts } from './guards.ts';
import type { Scenario } from './scenario.ts';
import { type Bounds, type Finding, type Refusal, type SearchReport, search } from './search.ts';
import type { StoreKind } from './store-kinds.ts';

/** How a kind of stores is opened with given guards. */
export type OpenKind = (guards: Guards) => StoreKind;

/** What each search of a survey may use up. */
export interface Effort {
  readonly bounds: Bounds;
  readonly limitMs: number;
  readonly maxSchedules?: number;
  readonly now: () => number;
}

/** One scenario's part of a survey. */
export interface Surveyed {
  readonly scenario: Scenario;
  readonly report: SearchReport;
  /** Conditions that were met, with their verdicts. */
  readonly conditions: ReadonlyMap<string, Verdicts>;
}

/** Searches every scenario. */
export async function survey(
  scenarios: readonly Scenario[],
  open: OpenKind,
  effort: Effort,
): Promise<Surveyed[]> {
  const found: Surveyed[] = [];
  for (const scenario of scenarios) {
    const guards = new Guards();
    const report = await search(scenario, open(guards), effort);
    found.push({ scenario, report, conditions: guards.seen });
  }
  return found;
}

/** One condition over a whole survey. */
export interface Condition {
  readonly name: string;
  readonly held: number;
  readonly lost: number;
  readonly alone: number;
  /** Where it alone refused a write, by scenario: without it, nothing else goes otherwise. */
  readonly refusals: ReadonlyMap<Scenario, readonly Refusal[]>;
}

/** The conditions of all conditional writes that a survey came by, by name. */
export function conditionsOf(surveyed: readonly Surveyed[]): Condition[] {
  // Where little happens a promise is broken soonest.
  const smallFirst = surveyed.toSorted((a, b) => a.report.states - b.report.states);
  const names = new Set(surveyed.flatMap(({ conditions }) => [...conditions.keys()]));
  return [...names].sort().map((name) => {
    const refusals = new Map<Scenario, Refusal[]>();
    const total = { held: 0, lost: 0, alone: 0 };
    for (const { scenario, report, conditions } of smallFirst) {
      const { held = 0, lost = 0, alone = 0 } = conditions.get(name) ?? {};
      total.held += held;
      total.lost += lost;
      total.alone += alone;
      const found = report.refusals.get(name) ?? [];
      if (found.length > 0) refusals.set(scenario, [...(refusals.get(scenario) ?? []), ...found]);
    }
    return { name, ...total, refusals };
  });
}

/** What became of a search with one condition taken out. */
export interface Mutant {
  readonly condition: Condition;
  /** The scenario and the broken promise that gave it away; absent when nobody noticed. */
  readonly found?: { readonly scenario: Scenario; readonly finding: Finding };
  readonly schedules: number;
}

/** Promises that a scenario breaks without anything taken out. */
export type Known = ReadonlyMap<Scenario, ReadonlySet<string>>;

/** Promises broken by scenario. */
export function knownOf(surveyed: readonly Surveyed[]): Known {
  return new Map(
    surveyed.map(({ scenario, report }) => [
      scenario,
      new Set(report.findings.map(({ promise }) => promise)),
    ]),
  );
}

/** Schedules that a scenario is given before the next one's turn comes, in the first round; four times as many in each further one. */
const firstTurn = 8;

/** No scenario is given more in one turn. */
const mostSchedules = 100_000;

/**
 * Takes one condition out and searches until a promise is broken that was kept with it. Only what comes after one of its
 * refusals can go otherwise, and only that is played; a little beyond the bounds, because getting there spent some of them.
 */
export async function takeOut(
  condition: Condition,
  open: OpenKind,
  effort: Effort & { readonly known: Known },
): Promise<Mutant> {
  const begun = effort.now();
  const left = () => effort.limitMs - (effort.now() - begun);
  const { preemptions, faults } = effort.bounds;
  const pending = new Map(condition.refusals);
  let schedules = 0;
  for (let turn = firstTurn; pending.size > 0 && left() > 0; turn *= 4) {
    for (const [scenario, after] of pending) {
      const known = effort.known.get(scenario) ?? new Set();
      const directed = { bounds: { preemptions: preemptions + 1, faults: faults + 1 }, after };
      // Refusals that the survey did not come by are behind the other schedules.
      for (const where of turn === firstTurn ? [directed] : [directed, { bounds: effort.bounds }]) {
        const report = await search(scenario, open(new Guards(condition.name)), {
          ...where,
          limitMs: left(),
          maxSchedules: turn,
          now: effort.now,
          stopAt: (promise) => !known.has(promise),
        });
        schedules += report.schedules;
        const finding = report.findings.find(({ promise }) => !known.has(promise));
        if (finding) return { condition, found: { scenario, finding }, schedules };
      }
    }
    if (turn > mostSchedules) break;
  }
  return { condition, schedules };
}
