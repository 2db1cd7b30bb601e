import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nextTimeOfDay } from '../../../lib/capacity/deadline.ts';
import { assumedSeconds, durationsFrom, measuredSeconds } from '../../../lib/capacity/durations.ts';
import { keptJobs, runsPerSecond } from '../../../lib/capacity/quotas.ts';
import { keptSeconds } from '../../../lib/kubernetes/job-manifest.ts';
import { stageNames } from '../../../lib/training/stages.ts';
import { anAttempt, aRun } from '../../fixtures/records.ts';

const at = (minute: number) => new Date(Date.parse('2026-11-24T02:00:00Z') + minute * 60_000).toISOString();
const all = stageNames.map((stage) =>
  anAttempt({ stage, status: 'succeeded', startedAt: at(0), finishedAt: at(10) }),
);
const reclaimed = { status: 'preempted', reason: 'preempted', startedAt: at(0), finishedAt: at(5) } as const;

describe('measuredSeconds', () => {
  it('measuredSeconds is what each stage’s job took, without its waiting', () => {
    expect(measuredSeconds(all)).toEqual({ prepare: 600, train: 600, index: 600, deploy: 600, cache: 600 });
  });

  it('measuredSeconds counts reclaimed attempts only of a stage that goes on where they ended', () => {
    const more = [
      anAttempt({ stage: 'train', ...reclaimed }),
      anAttempt({ stage: 'index', ...reclaimed }),
      ...all,
    ];
    expect(measuredSeconds(more)).toMatchObject({ train: 900, index: 600 });
  });

  it('measuredSeconds is nothing for a run without one of its stages', () => {
    expect(measuredSeconds(all.slice(1))).toBeUndefined();
  });
});

describe('durationsFrom', () => {
  const seconds = (train: number) => ({ ...assumedSeconds, train });

  it('durationsFrom takes a tenant’s newest run, the median for others, and assumes where nothing is known', () => {
    const durations = durationsFrom([
      aRun({ tenantId: 'a', startedAt: at(0), stageSeconds: seconds(100) }),
      aRun({ tenantId: 'a', startedAt: at(9), stageSeconds: seconds(200) }),
      aRun({ tenantId: 'b', startedAt: at(0), stageSeconds: seconds(500) }),
      aRun({ tenantId: 'c', startedAt: at(0), stageSeconds: seconds(900) }),
      aRun({ tenantId: 'd', startedAt: at(0) }),
    ]);
    expect(durations.of('a').train).toBe(200);
    expect(durations.of('d').train).toBe(500);
    expect([durations.isMeasured('a'), durations.isMeasured('d')]).toEqual([true, false]);
    expect(durationsFrom([]).of('a')).toEqual(assumedSeconds);
  });
});

describe('nextTimeOfDay', () => {
  it.each([
    ['2026-11-24T02:00:00Z', '2026-11-24T08:00:00.000Z'],
    ['2026-11-24T08:00:00Z', '2026-11-25T08:00:00.000Z'],
    ['2026-12-31T23:00:00Z', '2027-01-01T08:00:00.000Z'],
  ])('nextTimeOfDay after %s is %s', (from, expected) => {
    expect(new Date(nextTimeOfDay('08:00', Date.parse(from))).toISOString()).toBe(expected);
  });
});

describe('quotasPerSecond', () => {
  it('the model of capacity knows the Jobs that the namespace holds, and how long they stay', () => {
    const quota = readFileSync('infra/k8s/jobs/resource-quota.yaml', 'utf8');
    expect(quota).toContain(`count/jobs.batch: "${keptJobs.limit}"`);
    expect(keptJobs.seconds).toBe(keptSeconds);
    expect(runsPerSecond('batch')).toBe(10);
    expect(runsPerSecond('eks')).toBe(75);
  });
});
