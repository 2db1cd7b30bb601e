import { fairness } from './spot-fairness.ts';
import { hardMarkets } from './spot-hard.ts';
import { machineNight } from './spot-machines.ts';
import type { MarketSettings } from './spot-market.ts';
import { measure, type Scenario, seed, simulate, usual } from './spot-measure.ts';
import { usualPolicy } from './spot-night.ts';

const hoursPerMonth = 730;

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
    scenarios: scenarios.map((scenario) => measure(scenario)),
    hardMarkets: hardMarkets(),
    tenThousandTenants: tenThousand(),
    fairness: fairness(seed),
    settingsTried: settingsTried(),
    realMachines: [await besideMachines({ ...usual, perHour: 0.2 }), await besideMachines(storm)],
  };
}
