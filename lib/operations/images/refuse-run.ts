import type { EpsilonError } from '../../errors/epsilon-error.ts';
import { ConditionFailed } from '../../errors/store-errors.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Run } from '../../training/run.ts';

/** What a run that has just begun is refused with. */
export type Refusing = Pick<Ports, 'runs' | 'leases' | 'clock' | 'metrics'>;

/**
 * Ends a run that has just begun with images that no job may be started by: it is recorded as failed, its lease is given back, and it
 * resolves its images again when it is redriven. Throws `refusal`.
 */
export async function refuseRun(ports: Refusing, run: Run, refusal: EpsilonError): Promise<never> {
  const { runId, tenantId, fence, redriveCount } = run;
  const { name: error, message: cause } = refusal;
  const finishedAt = isoNow(ports.clock);
  const end = { status: 'failed', error, cause, finishedAt, images: {} as Run['images'] } as const;
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
  throw refusal;
}
