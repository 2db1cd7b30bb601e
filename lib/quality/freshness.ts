import type { Finding } from './finding.ts';
import type { Profile } from './profile.ts';
import type { Rules } from './rules.ts';

const hour = 3_600_000;

/** Clocks of two machines may differ by this much before it is told. */
const clockSkew = 5 * 60_000;

/** Whether the newest document is as young as the tenant's rules ask; `now` in milliseconds. */
export function checkFreshness({ newestArrival }: Profile, { maxAgeHours }: Rules, now: number): Finding[] {
  if (newestArrival === null) return [];
  const age = now - Date.parse(newestArrival);
  if (age < -clockSkew)
    return [
      {
        check: 'freshness',
        code: 'ARRIVAL_IN_FUTURE',
        severity: 'warning',
        sentence: `the newest document carries the time ${newestArrival}, which is later than this check; its clock is wrong`,
      },
    ];
  if (maxAgeHours === undefined || age <= maxAgeHours * hour) return [];
  return [
    {
      check: 'freshness',
      code: 'STALE',
      severity: 'critical',
      sentence: `the newest document arrived ${(age / hour).toFixed(1)} hours ago (${newestArrival}), ${maxAgeHours} hours are allowed`,
    },
  ];
}
