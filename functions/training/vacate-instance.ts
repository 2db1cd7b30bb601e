import { z } from 'zod';
import { awsBatch, awsKubernetes, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { vacateInstance } from '../../lib/operations/attempts/vacate-instance.ts';

const instanceId = z.string().regex(/^i-[0-9a-f]{8,17}$/);

/** EC2's two envelopes, as EventBridge delivers them; fields that are not read are tolerated. */
const input = z.discriminatedUnion('detail-type', [
  z.object({
    source: z.literal('aws.ec2'),
    'detail-type': z.literal('EC2 Spot Instance Interruption Warning'),
    detail: z.object({ 'instance-id': instanceId, 'instance-action': z.string().min(1) }),
  }),
  z.object({
    source: z.literal('aws.ec2'),
    'detail-type': z.literal('EC2 Instance Rebalance Recommendation'),
    detail: z.object({ 'instance-id': instanceId }),
  }),
]);

const aws = [awsStores, awsBatch, awsKubernetes] as const;

/**
 * Asks the jobs of an instance that is about to go to checkpoint and leave, without waiting for the node to die. Their
 * completion then comes as `preempted`, so that the next attempt may choose other capacity. Safe to repeat; instances
 * without jobs of Epsilon are counted and ignored.
 */
export function createVacateInstance(ports: Wired<typeof aws>) {
  return async (event: z.output<typeof input>, { log }: Invocation) => {
    const signal =
      event['detail-type'] === 'EC2 Spot Instance Interruption Warning' ? 'interruption' : 'rebalance';
    const instance = event.detail['instance-id'];
    const counts = await vacateInstance(ports, { signal, instanceId: instance });
    ports.metrics.count('SpotSignals', 1, { signal });
    if (counts.found === 0) ports.metrics.count('SpotSignalsUnknown', 1, { signal });
    if (counts.vacated > 0) ports.metrics.count('JobsVacated', counts.vacated, { signal });
    log.info('spot signal', { signal, instanceId: instance, ...counts });
    return { signal, ...counts };
  };
}

export const handler = defineHandler({
  name: 'vacateInstance',
  input,
  aws,
  create: createVacateInstance,
});
