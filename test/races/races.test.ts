import { describe, expect, it } from 'vitest';
import { Guards } from './guards.ts';
import { promises } from './invariants.ts';
import { memoryKind } from './memory-kind.ts';
import { scenarioOf } from './scenarios.ts';
import { search } from './search.ts';

const now = () => process.cpuUsage().user / 1000;

/**
 * Races that are there: the explorer has to find each of them, until it is mended. Whoever mends one turns its row round.
 */
const known = [
  {
    scenario: 'retry-pass',
    promise: promises.one,
    why: 'the guard of a submission does not change with the write',
  },
  { scenario: 'stop-redrive', promise: promises.outlives, why: '"not listed" is taken as "does not exist"' },
  { scenario: 'stop-redrive', promise: promises.stopped, why: 'attempts are closed by status alone' },
  { scenario: 'late-end', promise: promises.stopped, why: 'the redrive count is compared once' },
  {
    scenario: 'stop-redrive',
    promise: promises.leases,
    why: 'a late entry of an earlier try takes the lease',
  },
] as const;

describe('a race that is there', () => {
  it.each(known)(
    'is found: $scenario, $promise ($why)',
    { timeout: 60_000 },
    async ({ scenario, promise }) => {
      const report = await search(scenarioOf(scenario), memoryKind(new Guards()), {
        bounds: { preemptions: 2, faults: 1 },
        limitMs: 30_000,
        maxSchedules: 3_000,
        stopAt: (found) => found === promise,
        now,
      });
      expect(report.findings.map((finding) => finding.promise)).toContain(promise);
    },
  );
});
