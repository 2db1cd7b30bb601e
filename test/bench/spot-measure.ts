import { durationsFrom } from '../../lib/capacity/durations.ts';
import type { NightPlan } from '../../lib/capacity/night-plan.ts';
import { planned } from '../fixtures/nights.ts';
import { aRun, aTenant } from '../fixtures/records.ts';
import { hour, type MarketSettings, type RunWork, SpotMarket, workOf } from './spot-market.ts';
import { type NightFigures, SimulatedNight, type usualPolicy } from './spot-night.ts';
import { clairvoyantCost, fluidCost, isHopeless, onDemandCost } from './spot-oracle.ts';

/** Everything is drawn from this. */
export const seed = 2_026;
const seedsPerScenario = 5;

/** How spot is taken away unless a scenario says otherwise. */
export const usual = { withNotice: 0.9, droughtShare: 0 };

/** One market for one night. */
export interface Scenario {
  readonly name: string;
  readonly market: MarketSettings;
  readonly tenants?: number;
  readonly spotVcpus?: number;
  /** On-demand vCPU; as many as spot's otherwise, as in infra/config/prod.yml. */
  readonly onDemandVcpus?: number;
  /** Length of runs against the usual hour and a half. */
  readonly scale?: number;
  /** Other settings than the service's own. */
  readonly policy?: Partial<typeof usualPolicy>;
  /** The targets are for interruptions; droughts and longer runs show where the usual settings end. */
  readonly beyondTargets?: true;
  readonly backend?: 'batch' | 'eks';
}

/** What one night came to. */
interface Outcome extends NightFigures {
  readonly saving: number;
  readonly againstClairvoyant: number;
  readonly nodesAgainstClairvoyant: number;
  /** Runs missed in a night in which somebody who knew everything might have missed none. */
  readonly missedNeedlessly: number;
}

const began = Date.parse('2026-11-24T02:00:00Z');

/** The night's own plan for tenants whose runs were measured the night before. */
export function planFor(
  works: readonly RunWork[],
  {
    spot,
    dear,
    backend,
    deadline,
  }: { spot: number; dear: number; backend: 'batch' | 'eks'; deadline: number },
): NightPlan {
  const seconds = (ms: number) => Math.round(ms / 1000);
  const runs = works.map(({ tenantId, stages: { prepare, train, index, deploy, cache } }) =>
    aRun({
      tenantId,
      stageSeconds: {
        prepare: seconds(prepare),
        train: seconds(train),
        index: seconds(index),
        deploy: seconds(deploy),
        cache: seconds(cache),
      },
    }),
  );
  const at = new Date(began + deadline).toISOString().slice(11, 16);
  return planned({
    due: works.map(({ tenantId }) => aTenant({ tenantId, backend })),
    durations: durationsFrom(runs),
    now: began,
    training: { deadline: at },
    queueSize: {
      batchSpotVcpus: spot,
      batchOnDemandVcpus: dear,
      eksSpotVcpus: spot,
      eksOnDemandVcpus: dear,
    },
  });
}

/** Of 16 vCPU three training jobs of 4 are placed, and everything else on what they leave: the best that any packing does. */
const nodeShare = 16 / 12;

/** Simulates one night of a scenario. */
export function simulate(scenario: Scenario, drawn: number): Outcome {
  const { market: settings, tenants = 400, scale = 1, backend = 'batch' } = scenario;
  // 400 tenants in production's queues; larger nights in queues that grow with them.
  const spot = scenario.spotVcpus ?? 2 * tenants;
  const vcpus = { spot, 'on-demand': scenario.onDemandVcpus ?? spot };
  const works = workOf(drawn, tenants, scale);
  const market = new SpotMarket(drawn, settings);
  const deadline = 10 * hour * scale;
  const plan = planFor(works, { spot, dear: vcpus['on-demand'], backend, deadline });
  const byName = new Map(works.map((work) => [work.tenantId, work]));
  const figures = new SimulatedNight({
    seed: drawn,
    works: plan.order.flatMap((tenantId) => byName.get(tenantId) ?? []),
    market,
    maxConcurrency: plan.maxConcurrency,
    vcpus,
    memoryPerVcpu: 2_048,
    deadline,
    policy: scenario.policy ?? {},
    spotUntil: new Map([...plan.spotUntil].map(([tenantId, until]) => [tenantId, until - began])),
  }).run();
  const clairvoyant = Math.max(
    clairvoyantCost(works, market, deadline),
    fluidCost(works, market, { deadline, spotVcpus: spot }),
  );
  return {
    ...figures,
    saving: 1 - figures.cost / onDemandCost(works),
    againstClairvoyant: figures.cost / clairvoyant,
    nodesAgainstClairvoyant: figures.nodeCost / (clairvoyant * nodeShare),
    missedNeedlessly: isHopeless(works, market, { deadline, vcpus }) ? 0 : figures.missed,
  };
}

/** A scenario over several draws: sums of what must not happen, the worst of what is measured. */
export function measure(scenario: Scenario, draws = seedsPerScenario): Record<string, unknown> {
  const outcomes = Array.from({ length: draws }, (_, draw) => simulate(scenario, seed + draw));
  const all = (key: keyof Outcome) => outcomes.map((outcome) => outcome[key]);
  const total = (key: keyof Outcome) => all(key).reduce((sum, value) => sum + value, 0);
  return {
    scenario: scenario.name,
    nights: draws,
    tenants: scenario.tenants ?? 400,
    deadlinesMissed: total('missed'),
    missedNeedlessly: total('missedNeedlessly'),
    runsFailed: total('failed'),
    worstSaving: Math.min(...all('saving')),
    meanSaving: total('saving') / draws,
    worstAgainstClairvoyant: Math.max(...all('againstClairvoyant')),
    worstNodesAgainstClairvoyant: Math.max(...all('nodesAgainstClairvoyant')),
    worstWorkLost: Math.max(...all('workLost')),
    reclaims: total('reclaims'),
    placementsGivenUp: total('unplaceable'),
    onDemandShare: total('onDemandShare') / draws,
    mostRetriesOfAStage: Math.max(...all('mostRetries')),
    longestNightHours: Math.max(...all('hours')),
    ...(scenario.beyondTargets ? { beyondTargets: true } : {}),
  };
}
