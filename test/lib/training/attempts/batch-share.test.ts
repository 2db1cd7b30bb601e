import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { submitInputOf } from '../../../../lib/aws/batch/submit-input.ts';
import { batchShareOf, shareClasses, sharesPerClass } from '../../../../lib/training/attempts/batch-share.ts';
import type { JobSpec } from '../../../../lib/training/attempts/job.ts';

describe('the share of a tenant on Batch', () => {
  it('a share identifier is letters and digits, of no more kinds than a queue accepts', () => {
    const seen = new Set<string>();
    for (let index = 0; index < 10_000; index += 1) {
      const { shareIdentifier, schedulingPriority } = batchShareOf(`tenant-${index}`, index % 101);
      expect(shareIdentifier).toMatch(/^[a-zA-Z0-9]{1,255}$/);
      expect(schedulingPriority).toBe(index % 101);
      seen.add(shareIdentifier);
    }
    // Batch refuses jobs that would make share 501.
    expect(seen.size).toBeLessThanOrEqual(500);
    expect(seen.size).toBeGreaterThan(sharesPerClass * 2);
  });

  it('a share identifier is the same on every submission, and of the class of its priority', () => {
    expect(batchShareOf('acme', 50)).toEqual(batchShareOf('acme', 50));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), (priority) => {
        const { shareIdentifier } = batchShareOf('acme', priority);
        const own = shareClasses.filter(({ prefix }) => shareIdentifier.startsWith(prefix));
        expect(own).toHaveLength(1);
        expect(priority).toBeGreaterThanOrEqual(own[0]?.atLeast ?? 101);
      }),
    );
  });

  it('a share identifier is in every job for Batch, because queues with fair shares refuse others', () => {
    const spec: JobSpec = {
      jobName: 'j',
      tenantId: 'acme',
      runId: 'r',
      logicalDate: '2026-11-24',
      traceId: 't',
      attempt: 1,
      image: 'i',
      arguments: [],
      environment: {},
      outputUri: 's3://b/o/',
      resources: { cpu: 1, memoryMiB: 64 },
      timeoutSeconds: 60,
      priority: 70,
      stage: 'train',
      capacity: 'spot',
    };
    const place = { queueArn: 'q', definitionArn: 'd', environment: 'dev', region: 'r', jobRoleArn: 'role' };
    const { shareIdentifier, schedulingPriority } = batchShareOf('acme', 70);
    expect(submitInputOf(spec, place)).toMatchObject({
      shareIdentifier,
      schedulingPriorityOverride: schedulingPriority,
    });
    expect(shareIdentifier).toMatch(/^urgent\d+$/);
  });

  it('share classes have prefixes that do not overlap', () => {
    for (const one of shareClasses)
      for (const other of shareClasses)
        if (one !== other) expect(other.prefix.startsWith(one.prefix)).toBe(false);
  });
});
