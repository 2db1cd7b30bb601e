import { SFNClient } from '@aws-sdk/client-sfn';
import { createVersionRouting } from '../stepfunctions/version-routing.ts';
import type { AwsBase } from './base.ts';

/** Versions behind the aliases of the machines, in Step Functions. */
export const wireVersions = ({ clients, deployment, config }: AwsBase) => ({
  versions: createVersionRouting({
    client: clients.of(SFNClient),
    location: { ...deployment, environment: config.environment, region: config.region },
  }),
});
