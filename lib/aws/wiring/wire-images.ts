import { ECRClient } from '@aws-sdk/client-ecr';
import { factOf } from '../../config/deployment-fact.ts';
import { createImageResolver } from '../ecr/image-resolver.ts';
import type { AwsBase } from './base.ts';

/** Image digests from ECR. */
export const wireImages = ({ clients, deployment, config, clock }: AwsBase) => ({
  images: createImageResolver({
    client: clients.of(ECRClient),
    repositoryUrls: factOf(deployment, 'repositoryUrls'),
    workloads: config.workloads,
    clock,
    fetch,
  }),
});
