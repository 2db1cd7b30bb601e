import { z } from 'zod';
import type { Backend } from '../tenants/tenant.ts';
import type { JobObservation } from '../training/attempts/job.ts';
import { isNameOf } from '../training/attempts/job-name.ts';
import type { JobStage } from '../training/stages.ts';
import { batchJobSchema, identityOfBatchJob, observationOfBatchJob } from './batch-job.ts';
import { detailTypes, envelopeOf, jobStateChangeDetail } from './detail.ts';

/** Our own envelope: from the watcher in the cluster and from the runner of this host. */
const ownEvent = envelopeOf(jobStateChangeDetail).extend({
  source: z.literal('epsilon.jobs'),
  'detail-type': z.literal(detailTypes.jobStateChange),
});

/** AWS Batch's envelope. */
const batchEvent = envelopeOf(batchJobSchema).extend({
  source: z.literal('aws.batch'),
  'detail-type': z.literal('Batch Job State Change'),
});

/** The events that say how a job stands. */
export const jobEventSchema = z.discriminatedUnion('source', [ownEvent, batchEvent]);

/** The state of an attempt's job, from any source of events. */
export interface JobEvent {
  readonly runId: string;
  readonly stage: JobStage;
  readonly attempt: number;
  readonly observed: JobObservation;
  /** Backends that report in this envelope: of a job on another one it proves nothing. */
  readonly backends: readonly Backend[];
  readonly tenantId?: string;
  readonly logicalDate?: string;
  readonly traceId?: string;
  /** Where the job's result stands, when the event does not carry it. */
  readonly resultBelow?: string;
}

function ofOwn({ detail }: z.output<typeof ownEvent>): JobEvent {
  const { data, runId, tenantId, logicalDate, traceId } = detail;
  const { stage, attempt, ...observed } = data;
  const of = { runId, stage, attempt, tenantId, logicalDate, traceId };
  // Batch speaks for itself, and nobody but AWS can say that an event is Batch's.
  return { ...of, backends: ['eks', 'local'], observed: observed as JobObservation };
}

/** `s3://<bucket>/<tenant>/runs/<run>/<stage>/<attempt>/` of this environment; its tenant, or undefined. */
function tenantOf(outputUri: string, bucket: string, end: string): string | undefined {
  const start = `s3://${bucket}/`;
  if (!outputUri.startsWith(start) || !outputUri.endsWith(end)) return undefined;
  const tenantId = outputUri.slice(start.length, -end.length);
  return tenantId === '' || tenantId.includes('/') ? undefined : tenantId;
}

function ofBatch({ detail }: z.output<typeof batchEvent>, bucket: string): JobEvent | undefined {
  const identity = identityOfBatchJob(detail);
  if (!identity) return undefined;
  const { runId, stage, attempt, outputUri, traceId } = identity;
  // An account may hold several environments, whose runs have the same names: the output prefix of a job shows its environment.
  const tenantId = tenantOf(outputUri, bucket, `/runs/${runId}/${stage}/${attempt}/`);
  if (tenantId === undefined) return undefined;
  return {
    runId,
    stage,
    attempt,
    tenantId,
    backends: ['batch'],
    observed: observationOfBatchJob(detail),
    resultBelow: outputUri,
    ...(traceId ? { traceId } : {}),
  };
}

/**
 * Reads an event of either envelope; undefined when its job is no attempt of this environment: a name that is not the attempt's, a job
 * without our variables, or one of another environment (`bucket` is this one's).
 */
export function jobEventOf(event: z.output<typeof jobEventSchema>, bucket: string): JobEvent | undefined {
  const found = event.source === 'aws.batch' ? ofBatch(event, bucket) : ofOwn(event);
  if (!found) return undefined;
  const { tenantId = '', runId, stage, attempt, observed, backends } = found;
  return isNameOf(observed.jobName, { tenantId, runId, stage, attempt }, backends) ? found : undefined;
}
