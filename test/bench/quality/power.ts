import { checkAnomalies } from '../../../lib/quality/anomalies.ts';
import { type Baseline, followProfile } from '../../../lib/quality/baseline.ts';
import type { Profile } from '../../../lib/quality/profile.ts';
import { type Fault, tenantHours } from './tenants.ts';

/** Noise of hourly counts beside that of counting, as shares. */
const noises = [0.03, 0.06, 0.1, 0.15];

/** Faults, and the sizes at which they are tried. */
const grid: readonly (readonly [Fault['kind'], readonly number[]])[] = [
  ['rows', [0.1, 0.2, 0.3, 0.5]],
  ['nulls', [0.01, 0.02, 0.05]],
  ['missing', [1]],
  ['mix', [0.1, 0.2]],
  ['length', [0.7, 0.9, 1.3]],
];

function judged(before: Baseline | undefined, profile: Profile, at: number) {
  const followed = followProfile(before, profile, at);
  return { ...followed, findings: checkAnomalies(before, { ...followed, at }).filter(({ holds }) => !holds) };
}

/** The upper 95 % bound of a Poisson mean of which `count` events were seen (Wilson and Hilferty's approximation). */
function upperBound(count: number): number {
  const n = count + 1;
  return n * (1 - 1 / (9 * n) + 1.645 / (3 * Math.sqrt(n))) ** 3;
}

/** Warnings and closed gates of clean tenants. */
export function benchSilence(tenants: number, days: number) {
  let [looks, warnings, closings, warned] = [0, 0, 0, 0];
  const byCode = new Map<string, number>();
  for (let index = 0; index < tenants; index += 1) {
    let before: Baseline | undefined;
    let own = 0;
    for (const { at, profile } of tenantHours(index + 1, {
      days,
      noise: noises[index % noises.length] ?? 0,
    })) {
      const made = profile();
      if (!made) continue;
      const { baseline, findings } = judged(before, made, at);
      before = baseline;
      looks += 1;
      if (findings.length > 0) own += 1;
      if (findings.some(({ severity }) => severity === 'critical')) closings += 1;
      for (const { code } of findings) byCode.set(code, (byCode.get(code) ?? 0) + 1);
    }
    warnings += own;
    if (own > 0) warned += 1;
  }
  const quarters = (tenants * days) / 91;
  return {
    tenants,
    days,
    looks,
    warningsPerTenantAndQuarter: warnings / quarters,
    upperBound: upperBound(warnings) / quarters,
    tenantsWarned: warned / tenants,
    closedPer1000TenantNights: (1_000 * closings) / (tenants * days),
    closedUpperBound: (1_000 * upperBound(closings)) / (tenants * days),
    byCode: Object.fromEntries([...byCode].toSorted(([, a], [, b]) => b - a)),
  };
}

/** Lower tail of the normal distribution (Abramowitz and Stegun 26.2.17, exact to 10⁻⁷). */
function normal(x: number): number {
  if (x < 0) return 1 - normal(-x);
  const t = 1 / (1 + 0.2316419 * x);
  const poly = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = poly.reduceRight((all, each) => (all + each) * t, 0);
  return 1 - (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

/** One false alarm in a quarter of hourly looks, all of it spent on rows that are missing. */
const quarterly = 3.32;

/**
 * The share that the best test of one hour finds (Neyman and Pearson): it knows season, growth, holidays, the noise of the hour before and
 * every distribution, and tells nothing else than a loss of exactly this size.
 */
const bestPower = (size: number, deviation: number) => normal(-Math.log(1 - size) / deviation - quarterly);

/** Share of planted faults that are found in the partition they are in, by kind, size and noise. */
export function benchPower(tenants: number) {
  const found = new Map<string, number>();
  const note = (key: string, share: number) => found.set(key, (found.get(key) ?? 0) + share);
  let tried = 0;
  for (const noise of noises)
    for (let index = 0; index < tenants; index += 1) {
      let before: Baseline | undefined;
      let hour = 0;
      for (const { at, deviation, profile } of tenantHours(1_000_000 + index, { days: 45, noise })) {
        hour += 1;
        // Four hours of the last day, so that faults come by day and by night.
        if (hour > 44 * 24 && hour % 6 === 0) {
          if (noise === noises[0]) tried += 1;
          for (const [kind, sizes] of grid)
            for (const size of sizes) {
              const broken = profile({ kind, size });
              const key = `${kind} ${size} at ${noise}`;
              if (broken && judged(before, broken, at).findings.length > 0) note(key, 1);
              if (kind === 'rows') note(`best ${size} at ${noise}`, bestPower(size, deviation));
            }
        }
        const made = profile();
        if (made) before = followProfile(before, made, at).baseline;
      }
    }
  const shareOf = (kind: string, size: number, noise: number) =>
    (found.get(`${kind} ${size} at ${noise}`) ?? 0) / tried;
  const best = ['best', [0.1, 0.2, 0.3, 0.5]] as const;
  return Object.fromEntries(
    [...grid, best].map(([kind, sizes]) => [
      kind,
      Object.fromEntries(
        sizes.map((size) => [
          size,
          Object.fromEntries(noises.map((noise) => [noise, shareOf(kind, size, noise)])),
        ]),
      ),
    ]),
  );
}
