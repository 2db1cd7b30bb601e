import type { z } from 'zod';
import { type JobEvent, jobEventOf, jobEventSchema } from '../../lib/event-schemas/job-event.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsCallbacks, awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { noteUnwanted } from '../../lib/operations/attempts/abandon.ts';
import { isFrom, recordAndSettle, recordProgress } from '../../lib/operations/attempts/settle-attempt.ts';
import type { JobObservation } from '../../lib/training/attempts/job.ts';
import { readResultOfEnd, resultFields } from '../../lib/training/attempts/job-result.ts';

/** `stray`: a job is alive that nobody waits for; the reconciler's next pass stops it. */
type Outcome = 'settled' | 'progress' | 'repeated' | 'unknown' | 'stray';

function logOutcome(log: Invocation['log'], outcome: Outcome, event: JobEvent | undefined): void {
  if (!event) {
    log.debug('event of a job that Epsilon did not submit');
    return;
  }
  const { runId, tenantId, stage, attempt, observed } = event;
  const { jobName, state, reason } = observed;
  const fields = { runId, tenantId, stage, attempt, outcome, jobName, state, reason };
  if (outcome === 'settled') log.info('job finished', fields);
  else if (outcome === 'unknown') log.warn('event of an unknown job', fields);
  else if (outcome === 'stray') log.warn('a job is alive that nobody waits for', fields);
  else log.debug('job event', fields);
}

const aws = [awsStores, awsCallbacks, awsObjects] as const;

/** Records what a backend reports of a job and answers its stage; unknown and repeated events are counted and ignored. */
export function createCompleteJob(ports: Wired<typeof aws>) {
  /** With the result, where the event does not carry it. */
  async function withResult(
    { observed, resultBelow }: JobEvent,
    log: Invocation['log'],
  ): Promise<JobObservation> {
    if (resultBelow === undefined) return observed;
    const { state } = observed;
    const left = await readResultOfEnd(ports.objects, resultBelow, state, (error) =>
      log.warn('result of a failed job not read', { error: String(error) }),
    );
    if (state === 'succeeded' && left.note) log.warn('job without result', { reason: left.note });
    return { ...observed, ...resultFields(left, state) };
  }

  /** A job that is alive keeps its stage waiting: its task hears of it also when the record knows it already. */
  async function progress(event: JobEvent): Promise<Outcome> {
    const found = await ports.runs.getAttempt(event);
    if (!found || !isFrom(found, event)) return 'unknown';
    // Of what the record has become by then: an attempt may be given up, or get its job, while its event is looked at.
    const attempt = await recordProgress(ports, found, event.observed);
    if (await noteUnwanted(ports, attempt, event.observed.jobId)) return 'stray';
    if (attempt.settledAt !== undefined) return 'repeated';
    if (attempt.taskToken !== undefined) {
      const heard = await ports.callbacks.heartbeat(attempt.taskToken);
      if (heard === 'gone') ports.metrics.count('CallbacksGone', 1);
    }
    return 'progress';
  }

  async function take(event: JobEvent, log: Invocation['log']): Promise<Outcome> {
    const { state } = event.observed;
    if (state === 'pending' || state === 'running') return progress(event);
    const { tenantId, backends } = event;
    const origin = { backends, ...(tenantId === undefined ? {} : { tenantId }) };
    return recordAndSettle(ports, event, await withResult(event, log), origin);
  }

  return async (input: z.output<typeof jobEventSchema>, { log }: Invocation) => {
    const event = jobEventOf(input, ports.config.dataBucket);
    if (event) noteTraceFields(event);
    const outcome = event ? await take(event, log) : 'unknown';
    if (outcome === 'repeated') ports.metrics.count('JobEventsRepeated', 1);
    if (outcome === 'stray') ports.metrics.count('StrayJobs', 1);
    if (outcome === 'unknown') ports.metrics.count('JobEventsUnknown', 1);
    logOutcome(log, outcome, event);
    return { outcome };
  };
}

export const handler = defineHandler({
  name: 'completeJob',
  input: jobEventSchema,
  aws,
  create: createCompleteJob,
});
