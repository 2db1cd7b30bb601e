import { forecastText } from '../../lib/capacity/forecast-text.ts';
import { hour, SpotMarket, startup, workOf } from './spot-market.ts';
import { planFor } from './spot-measure.ts';
import { SimulatedNight } from './spot-night.ts';
import { onDemandCost } from './spot-oracle.ts';

const seed = 2_026;
const tenants = 10_000;

/** Nights that fit, in different rooms; `skew` is the standard deviation of the logarithm of a run's length. */
const nights = [
  { vcpus: 8_000, skew: 0.45 },
  { vcpus: 20_000, skew: 0.45 },
];

/**
 * Ten thousand tenants as the night plans them: how long the night takes in a simulation that knows nothing of the plan's
 * model (fair queues, jobs, the reconciler), beside what no order and no fan-out can undercut: all work by all capacity, and the
 * longest run.
 */
export function benchFit(): Record<string, unknown>[] {
  return nights.map(({ vcpus, skew }) => {
    const works = workOf(seed, tenants, 1, skew);
    const began = performance.now();
    const plan = planFor(works, { spot: vcpus, dear: vcpus, backend: 'batch', deadline: 8 * hour });
    const plannedInSeconds = (performance.now() - began) / 1000;
    const byName = new Map(works.map((work) => [work.tenantId, work]));
    const { hours, missed } = new SimulatedNight({
      seed,
      works: plan.order.flatMap((tenantId) => byName.get(tenantId) ?? []),
      market: new SpotMarket(seed, { perHour: 1e-9, withNotice: 1, droughtShare: 0 }),
      maxConcurrency: plan.maxConcurrency,
      vcpus: { spot: vcpus, 'on-demand': vcpus },
      memoryPerVcpu: 2_048,
      deadline: 8 * hour,
    }).run();
    const longest = Math.max(
      ...works.map(
        ({ stages: { prepare, train, index, deploy, cache } }) =>
          prepare + train + index + Math.max(deploy, cache) + 4 * startup,
      ),
    );
    const [byWork, byLongest] = [onDemandCost(works) / vcpus, longest / hour];
    const bound = Math.max(byWork, byLongest);
    return {
      tenants,
      vcpus,
      skew,
      maxConcurrency: plan.maxConcurrency,
      limitedBy: plan.limitedBy,
      forecast: forecastText(plan.forecast),
      forecastHours: (Date.parse(plan.forecast.endsAt) - Date.parse('2026-11-24T02:00:00Z')) / hour,
      simulatedHours: hours,
      missedInSimulation: missed,
      lowerBoundHours: { allWork: byWork, longestRun: byLongest },
      againstLowerBound: hours / bound,
      target: '<= 1.15',
      plannedInSeconds,
    };
  });
}
