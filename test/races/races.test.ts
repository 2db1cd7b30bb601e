import { describe, expect, it } from 'vitest';
import { Guards } from './guards.ts';
import { promises } from './invariants.ts';
import { memoryKind } from './memory-kind.ts';
import { scenarioOf, scenarios } from './scenarios.ts';
import { search } from './search.ts';

const now = () => process.cpuUsage().user / 1000;
const bounds = { preemptions: 2, faults: 1 };

/** Schedules of each scenario that every test run plays; `npm run test:races` plays more. */
const someSchedules = 60;

describe('the cheapest schedules of each scenario', () => {
  it.each(scenarios.map(({ name }) => name))('keep every promise: %s', async (name) => {
    const options = { bounds, limitMs: 10_000, maxSchedules: someSchedules, now };
    const report = await search(scenarioOf(name), memoryKind(new Guards()), options);
    expect(report.findings).toEqual([]);
    expect(report.schedules).toBeGreaterThan(3);
  });
});

/** Conditions that keep races away which were there once: without them each is found again. */
const guarding = [
  ['retry-pass', 'submitAgain changeAttempt: submitBegunAt', promises.one],
  ['stop-redrive', 'recordEnd updateRun: redriveCount', promises.past],
  ['image-fails-twice', 'change put: version', promises.own],
  ['late-end', 'abandonAttempt changeAttempt: maxRedriveCount', promises.answered],
] as const;

describe('a race that was there', () => {
  it.each(guarding)('comes back in %s without "%s"', { timeout: 60_000 }, async (name, out, promise) => {
    const options = { bounds, limitMs: 30_000, maxSchedules: 2_000, now, stopAt: () => true };
    const report = await search(scenarioOf(name), memoryKind(new Guards(out)), options);
    expect(report.findings.map((finding) => finding.promise)).toEqual([promise]);
  });
});
