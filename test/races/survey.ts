import { Guards, type Verdicts } from './guards.ts';
import type { Scenario } from './scenario.ts';
import { type Bounds, type Finding, type SearchReport, search } from './search.ts';
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
  /** The scenarios in which it refused a write: without it, no other scenario goes otherwise. */
  readonly scenarios: readonly Scenario[];
}

/** The conditions of all conditional writes that a survey came by, by name. */
export function conditionsOf(surveyed: readonly Surveyed[]): Condition[] {
  const names = new Set(surveyed.flatMap(({ conditions }) => [...conditions.keys()]));
  return [...names].sort().map((name) => {
    const met = surveyed.flatMap(({ scenario, conditions }) => {
      const verdicts = conditions.get(name);
      return verdicts ? [{ scenario, ...verdicts }] : [];
    });
    return {
      name,
      held: met.reduce((sum, { held }) => sum + held, 0),
      lost: met.reduce((sum, { lost }) => sum + lost, 0),
      scenarios: met.filter(({ lost }) => lost > 0).map(({ scenario }) => scenario),
    };
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

/** Takes one condition out and searches until a promise is broken that was kept with it. */
export async function takeOut(
  condition: Condition,
  open: OpenKind,
  effort: Effort & { readonly known: Known },
): Promise<Mutant> {
  let schedules = 0;
  for (const scenario of condition.scenarios) {
    const known = effort.known.get(scenario) ?? new Set();
    const report = await search(scenario, open(new Guards(condition.name)), {
      ...effort,
      stopAt: (promise) => !known.has(promise),
    });
    schedules += report.schedules;
    const finding = report.findings.find(({ promise }) => !known.has(promise));
    if (finding) return { condition, found: { scenario, finding }, schedules };
  }
  return { condition, schedules };
}
