import { ECRClient } from '@aws-sdk/client-ecr';
import type { AwsBase, PortsPart } from '../base.ts';
import { createImageResolver } from '../image-resolver.ts';

/** Image digests from ECR. */
export const part = ({ clients, deployment, clock }: AwsBase): PortsPart => ({
  images: createImageResolver({
    client: clients.of(ECRClient),
    repositoryUrls: deployment.repositoryUrls,
    clock,
  }),
});
