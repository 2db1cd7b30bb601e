import { readFiles } from '../../infra/pulumi/settings.ts';
import { fanOutOf } from '../../lib/training/nights/fan-out.ts';
import { aTenant } from '../fixtures/records.ts';
import { fairness } from './spot-fairness.ts';
import { machineNight } from './spot-machines.ts';
import { hour, type MarketSettings, SpotMarket, workOf } from './spot-market.ts';
import { type NightFigures, SimulatedNight, usualPolicy } from './spot-night.ts';
import { clairvoyantCost, onDemandCost } from './spot-oracle.ts';

/** Everything is drawn from this. */
const seed = 2_026;
const seedsPerScenario = 5;

const hoursPerMonth = 730;

interface Scenario {
  readonly name: string;
  readonly market: MarketSettings;
  readonly tenants?: number;
  readonly spotVcpus?: number;
  /** On-demand vCPU; a quarter of spot's otherwise, as in infra/config/prod.yml. */
  readonly onDemandVcpus?: number;
  /** Length of runs against the usual hour and a half. */
  readonly scale?: number;
  /** Other settings than the service's own. */
  readonly policy?: Partial<typeof usualPolicy>;
  /** The targets are for interruptions; droughts and longer runs show where the usual settings end. */
  readonly beyondTargets?: true;
}

const usual = { withNotice: 0.9, droughtShare: 0 };

const scenarios: readonly Scenario[] = [
  { name: '5 % a month', market: { ...usual, perHour: 0.05 / hoursPerMonth } },
  { name: '20 % a month', market: { ...usual, perHour: 0.2 / hoursPerMonth } },
  { name: '5 % a day', market: { ...usual, perHour: 0.05 / 24 } },
  { name: '2 % an hour', market: { ...usual, perHour: 0.02 } },
  { name: '5 % an hour', market: { ...usual, perHour: 0.05 } },
  { name: '10 % an hour', market: { ...usual, perHour: 0.1 } },
  { name: '20 % an hour', market: { ...usual, perHour: 0.2 } },
  { name: '20 % an hour, never with notice', market: { ...usual, perHour: 0.2, withNotice: 0 } },
  {
    name: '20 % an hour, runs twice as long',
    beyondTargets: true,
    scale: 2,
    market: { ...usual, perHour: 0.2 },
  },
  {
    name: '5 % an hour, no new spot 10 % of the time',
    beyondTargets: true,
    market: { ...usual, perHour: 0.05, droughtShare: 0.1 },
  },
  {
    name: '20 % an hour, no new spot 30 % of the time',
    beyondTargets: true,
    market: { ...usual, perHour: 0.2, droughtShare: 0.3 },
  },
  {
    name: 'no spot at all, as much on-demand',
    onDemandVcpus: 800,
    beyondTargets: true,
    market: { ...usual, perHour: 0.05, droughtShare: 1 },
  },
];

/** Markets that break things together, on the real rooms of production's queues. */
const hard: readonly (readonly [name: string, market: Partial<MarketSettings>])[] = [
  ['5 % an hour', {}],
  ['one drought of 40 min', { droughts: [[1, 1.67]] }],
  ['one drought of 3 h', { droughts: [[1, 4]] }],
  ['a third reclaimed at once', { storms: [{ at: 1, share: 1 / 3 }] }],
  [
    'a third reclaimed at once, then a drought of 40 min',
    { storms: [{ at: 1, share: 1 / 3 }], droughts: [[1, 1.67]] },
  ],
  ['all reclaimed at once, then a drought of 60 min', { storms: [{ at: 1, share: 1 }], droughts: [[1, 2]] }],
  [
    'all reclaimed twice',
    {
      storms: [
        { at: 1, share: 1 },
        { at: 3, share: 1 },
      ],
    },
  ],
  ['no spot in the first two hours', { droughts: [[0, 2]] }],
];

/** Spot and on-demand vCPU of an environment's queues, from its settings. */
function roomsOf(environment: string): { batch: [number, number]; eks: [number, number] } {
  const { queueSize } = readFiles(environment).service;
  return {
    batch: [queueSize.batchSpotVcpus, queueSize.batchOnDemandVcpus],
    eks: [queueSize.eksSpotVcpus, queueSize.eksOnDemandVcpus],
  };
}

/** 400 tenants in production's own queues, in markets where much goes at a time. */
function hardMarkets(): Record<string, unknown>[] {
  const { batch, eks } = roomsOf('prod');
  return hard.flatMap(([name, market]) =>
    [
      { queue: 'Batch', room: batch },
      { queue: 'EKS', room: eks },
    ].map(({ queue, room: [spotVcpus, onDemandVcpus] }) => {
      const settings = { ...usual, perHour: 0.05, ...market };
      const { deadlinesMissed, meanSaving, worstAgainstClairvoyant, longestNightHours, ...more } = measure({
        name,
        market: settings,
        spotVcpus,
        onDemandVcpus,
      });
      const { mostRetriesOfAStage, placementsGivenUp } = more;
      return {
        market: name,
        queue,
        vcpus: `${spotVcpus}/${onDemandVcpus}`,
        deadlinesMissed,
        meanSaving,
        worstAgainstClairvoyant,
        longestNightHours,
        mostRetriesOfAStage,
        placementsGivenUp,
      };
    }),
  );
}

interface Outcome extends NightFigures {
  readonly saving: number;
  readonly againstClairvoyant: number;
}

function simulate(scenario: Scenario, drawn: number): Outcome {
  const { market: settings, tenants = 400, scale = 1 } = scenario;
  // 400 tenants in production's queues; larger nights in queues that grow with them.
  const spot = scenario.spotVcpus ?? 2 * tenants;
  const vcpus = { spot, 'on-demand': scenario.onDemandVcpus ?? spot / 4 };
  const works = workOf(drawn, tenants, scale);
  const market = new SpotMarket(drawn, settings);
  const { maxConcurrency } = fanOutOf(
    works.map(({ tenantId }) => aTenant({ tenantId, backend: 'batch' })),
    {
      queueSize: {
        batchSpotVcpus: spot,
        batchOnDemandVcpus: vcpus['on-demand'],
        eksSpotVcpus: 0,
        eksOnDemandVcpus: 0,
        memoryPerVcpu: 2_048,
      },
      training: { maxConcurrency: 10_000 },
    },
  );
  const deadline = 10 * hour * scale;
  const figures = new SimulatedNight({
    seed: drawn,
    works,
    market,
    maxConcurrency,
    vcpus,
    memoryPerVcpu: 2_048,
    deadline,
    policy: scenario.policy ?? {},
  }).run();
  return {
    ...figures,
    saving: 1 - figures.cost / onDemandCost(works),
    againstClairvoyant: figures.cost / clairvoyantCost(works, market, deadline),
  };
}

/** A scenario over several draws: sums of what must not happen, the worst of what is measured. */
function measure(scenario: Scenario): Record<string, unknown> {
  const outcomes = Array.from({ length: seedsPerScenario }, (_, draw) => simulate(scenario, seed + draw));
  const all = (key: keyof Outcome) => outcomes.map((outcome) => outcome[key]);
  const total = (key: keyof Outcome) => all(key).reduce((sum, value) => sum + value, 0);
  return {
    scenario: scenario.name,
    nights: seedsPerScenario,
    tenants: scenario.tenants ?? 400,
    deadlinesMissed: total('missed'),
    runsFailed: total('failed'),
    worstSaving: Math.min(...all('saving')),
    meanSaving: total('saving') / seedsPerScenario,
    worstAgainstClairvoyant: Math.max(...all('againstClairvoyant')),
    worstWorkLost: Math.max(...all('workLost')),
    reclaims: total('reclaims'),
    placementsGivenUp: total('unplaceable'),
    onDemandShare: total('onDemandShare') / seedsPerScenario,
    mostRetriesOfAStage: Math.max(...all('mostRetries')),
    longestNightHours: Math.max(...all('hours')),
    ...(scenario.beyondTargets ? { beyondTargets: true } : {}),
  };
}

/** What other settings would bring where the usual ones are dearest. */
function settingsTried(): Record<string, unknown>[] {
  const long = { name: '20 % an hour, runs twice as long', market: { ...usual, perHour: 0.2 }, scale: 2 };
  const dry = {
    name: '5 % an hour, no new spot 10 % of the time',
    market: { ...usual, perHour: 0.05, droughtShare: 0.1 },
  };
  const tried = [
    ...[1, 2, 3, 5].map((preemptionsBeforeOnDemand) => ({ ...long, policy: { preemptionsBeforeOnDemand } })),
    ...[300, 900, 1_800, 3_600].map((placementSeconds) => ({ ...dry, policy: { placementSeconds } })),
  ];
  return tried.map((scenario) => ({ ...scenario.policy, ...measure(scenario) }));
}

/** The same small night twice: over the real machines, and simulated as the large ones are. */
async function besideMachines(market: MarketSettings): Promise<Record<string, unknown>> {
  const machines = await machineNight(seed, market, 10);
  const { reclaims, unplaceable, attempts, workLost, hours } = simulate(
    { name: '', tenants: 10, spotVcpus: 40, market },
    seed,
  );
  return { ...machines, simulated: { reclaims, unplaceable, attempts, workLost, hours } };
}

/** A night of 10,000 tenants, once, with the time that simulating it took. */
function tenThousand(): Record<string, unknown> {
  const began = performance.now();
  const figures = simulate(
    { name: '', tenants: 10_000, market: { ...usual, perHour: 0.1, droughtShare: 0.05 } },
    seed,
  );
  return { tenants: 10_000, ...figures, simulatedInSeconds: (performance.now() - began) / 1000 };
}

/** Spot economics and fairness over the real policy, all drawn from the printed seed. */
export async function benchSpot(): Promise<Record<string, unknown>> {
  const storm: MarketSettings = { ...usual, perHour: 0.5, withNotice: 0.7, droughtShare: 0.1 };
  return {
    seed,
    discount: 0.7,
    ...usualPolicy,
    targets: {
      deadlinesMissed: 0,
      worstSaving: '>= 0.6',
      worstAgainstClairvoyant: '<= 1.10',
      worstWorkLost: '<= 0.02',
    },
    scenarios: scenarios.map(measure),
    hardMarkets: hardMarkets(),
    tenThousandTenants: tenThousand(),
    fairness: fairness(seed),
    settingsTried: settingsTried(),
    realMachines: [await besideMachines({ ...usual, perHour: 0.2 }), await besideMachines(storm)],
  };
}
