import { z } from 'zod';
import { jobStageNames } from '../training/stages.ts';

/** Detail types of the bus. */
export const detailTypes = {
  jobStateChange: 'Job State Change',
  runStateChange: 'Run State Change',
  modelPromoted: 'Model Promoted',
  nightJudged: 'Night Judged',
  qualityVerdictChanged: 'Quality Verdict Changed',
  reconcileShard: 'Reconcile Shard',
} as const;

/** Version of the detail's form. */
export const schemaVersion = 1;

const common = {
  schemaVersion: z.literal(schemaVersion),
  tenantId: z.string(),
  runId: z.string(),
  logicalDate: z.string(),
  traceId: z.string(),
};

/** Detail of "Job State Change": a backend's observation of one attempt's job. Unknown fields are tolerated. */
export const jobStateChangeDetail = z.object({
  ...common,
  data: z.object({
    stage: z.enum(jobStageNames),
    attempt: z.int().positive(),
    jobName: z.string().min(1),
    jobId: z.string().min(1),
    state: z.enum(['pending', 'running', 'succeeded', 'failed']),
    reason: z
      .enum(['completed', 'error', 'preempted', 'lost', 'cancelled', 'timeout', 'unplaceable', 'unstartable'])
      .optional(),
    exitCode: z.int().optional(),
    image: z.string().optional(),
    resultFault: z.string().optional(),
    message: z.string().optional(),
    result: z.record(z.string(), z.unknown()).optional(),
    startedAt: z.string().optional(),
    finishedAt: z.string().optional(),
  }),
});

/** The EventBridge envelope around a detail; unknown fields of the envelope are tolerated. */
export function envelopeOf<T extends z.ZodType>(detail: T) {
  return z.object({
    id: z.string().optional(),
    source: z.string(),
    'detail-type': z.string(),
    time: z.string().optional(),
    detail,
  });
}

/** Makes the detail of an event on Epsilon's bus. */
export function eventDetail(
  of: {
    readonly tenantId: string;
    readonly runId: string;
    readonly logicalDate: string;
    readonly traceId: string;
    /** W3C's header of the span that the event is of; the trace alone where there is none. */
    readonly traceparent?: string | undefined;
  },
  data: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return {
    schemaVersion,
    tenantId: of.tenantId,
    runId: of.runId,
    logicalDate: of.logicalDate,
    traceId: of.traceId,
    traceparent: of.traceparent ?? `00-${of.traceId}-${of.traceId.slice(0, 16)}-01`,
    data,
  };
}
