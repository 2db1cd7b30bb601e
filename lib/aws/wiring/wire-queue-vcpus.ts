import { BatchClient } from '@aws-sdk/client-batch';
import { factOf } from '../../config/deployment-fact.ts';
import { batchQueueVcpus } from '../batch/queue-vcpus.ts';
import type { AwsBase } from './base.ts';

/** What is kept ready for the queues of Batch. */
export const wireQueueVcpus = ({ clients, deployment }: AwsBase) => ({
  queueVcpus: batchQueueVcpus(clients.of(BatchClient), {
    'batch-spot': factOf(deployment, 'batchSpotQueueArn'),
    'batch-on-demand': factOf(deployment, 'batchOnDemandQueueArn'),
  }),
});
