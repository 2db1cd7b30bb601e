import type { z } from 'zod';
import { envelopeOf, jobStateChangeDetail } from '../../lib/events/detail.ts';
import { awsCallbacks, awsStores } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { finishAttempt, recordProgress } from '../../lib/operations/settle-attempt.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { JobObservation } from '../../lib/training/job.ts';

const input = envelopeOf(jobStateChangeDetail);

/** Turns a backend's "Job State Change" into the stage's outcome; unknown and repeated events are counted and ignored. */
export function createCompleteJob(ports: Ports) {
  return async ({ detail }: z.output<typeof input>, { log }: Invocation) => {
    const { stage, attempt: number, ...observed } = detail.data;
    const attempt = await ports.runs.getAttempt({ runId: detail.runId, stage, attempt: number });
    if (!attempt || attempt.jobName !== observed.jobName) {
      ports.metrics.count('JobEventsUnknown', 1);
      log.warn('event of an unknown job', {
        runId: detail.runId,
        stage,
        attempt: number,
        jobName: observed.jobName,
      });
      return { outcome: 'unknown' };
    }
    if (attempt.settledAt !== undefined) {
      ports.metrics.count('JobEventsRepeated', 1);
      return { outcome: 'repeated' };
    }
    const observation = observed as JobObservation;
    if (observation.state === 'pending' || observation.state === 'running') {
      await recordProgress(ports, attempt, observation);
      return { outcome: 'progress' };
    }
    await finishAttempt(ports, attempt, observation);
    log.info('job finished', {
      runId: attempt.runId,
      tenantId: attempt.tenantId,
      stage,
      attempt: number,
      state: observation.state,
      reason: observation.reason,
    });
    return { outcome: 'settled' };
  };
}

export const handler = defineHandler({
  name: 'completeJob',
  input,
  aws: [awsStores, awsCallbacks],
  create: createCompleteJob,
});
