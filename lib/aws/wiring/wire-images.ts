import { ECRClient } from '@aws-sdk/client-ecr';
import { createImageResolver } from '../ecr/image-resolver.ts';
import type { AwsBase, PortsPart } from './base.ts';

/** Image digests from ECR. */
export const part = ({ clients, deployment, clock }: AwsBase): PortsPart => ({
  images: createImageResolver({
    client: clients.of(ECRClient),
    repositoryUrls: deployment.repositoryUrls,
    clock,
  }),
});
