import { z } from 'zod';
import type { Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';

const group = z.object({
  AutoScalingGroupName: z.string().min(1),
  StatusMessage: z.string().optional(),
  EC2InstanceId: z.string().optional(),
});

/** Auto Scaling's and Batch's envelopes, as EventBridge delivers them; fields that are not read are tolerated. */
const input = z.discriminatedUnion('detail-type', [
  z.object({
    source: z.literal('aws.autoscaling'),
    'detail-type': z.literal('EC2 Instance Launch Unsuccessful'),
    detail: group,
  }),
  z.object({
    source: z.literal('aws.autoscaling'),
    'detail-type': z.literal('EC2 Instance Terminate Unsuccessful'),
    detail: group,
  }),
  z.object({
    source: z.literal('aws.batch'),
    'detail-type': z.literal('Batch Job Queue Blocked'),
    detail: z.object({
      jobQueue: z.string().min(1),
      jobName: z.string().optional(),
      statusReason: z.string().optional(),
    }),
  }),
]);

type Event = z.output<typeof input>;

const aws = [] as const;

/** Counts an event, and tells what is said of it. */
function noted({ detail, ...event }: Event, { metrics }: Pick<Wired<typeof aws>, 'metrics'>) {
  if ('jobQueue' in detail) {
    metrics.count('QueuesBlocked', 1);
    return { where: detail.jobQueue, of: detail.jobName, because: detail.statusReason };
  }
  if (event['detail-type'] === 'EC2 Instance Launch Unsuccessful') metrics.count('LaunchesFailed', 1);
  else metrics.count('TerminationsFailed', 1);
  return { where: detail.AutoScalingGroupName, of: detail.EC2InstanceId, because: detail.StatusMessage };
}

/** Characters of a reason that are kept. */
const longestReason = 1_000;

/**
 * Counts capacity that could not be had, or not be given back, so that people are told; the log has where and why. Nothing else: the cluster autoscaler
 * tries another group, and the reconciler moves jobs that wait too long to the other kind of capacity.
 */
export function createNoteCapacityFailure(ports: Wired<typeof aws>) {
  return async (event: Event, { log }: Invocation) => {
    const { where, of, because = 'no reason given' } = noted(event, ports);
    const what = event['detail-type'];
    log.warn('capacity failed', { what, where, of, because: because.slice(0, longestReason) });
    return { what, where };
  };
}

export const handler = defineHandler({
  name: 'noteCapacityFailure',
  input,
  aws,
  create: createNoteCapacityFailure,
});
