import { BadImage } from '../../errors/run-errors.ts';
import { ConditionFailed } from '../../errors/store-errors.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Run } from '../../training/run.ts';

type Needed = Pick<Ports, 'runs' | 'leases' | 'imageRecords' | 'clock' | 'metrics'>;

/**
 * Ends a run that has just begun with a bad image: it is recorded as failed, its lease is given back, and it resolves its images
 * again when it is redriven. `BadImage`, which no machine retries.
 */
export async function requireGoodImages(ports: Needed, run: Run): Promise<void> {
  const { runId, tenantId, fence, redriveCount, images } = run;
  const records = await ports.imageRecords.find(Object.values(images));
  const bad = records.find(({ badSince }) => badSince !== undefined);
  if (!bad) return;
  const { name, message: cause } = new BadImage(bad);
  const finishedAt = new Date(ports.clock.now()).toISOString();
  const end = { status: 'failed', error: name, cause, finishedAt, images: {} as Run['images'] } as const;
  try {
    await ports.runs.updateRun(runId, end, {
      status: ['running'],
      maxRedriveCount: redriveCount,
      maxFence: fence,
    });
  } catch (error) {
    // A later try of the run, or its end, is on record: this one is over all the same.
    if (!(error instanceof ConditionFailed)) throw error;
  }
  await ports.leases.release({ tenantId, holder: runId, fence });
  ports.metrics.count('RunsRefused', 1);
  throw new BadImage(bad);
}
