import { SFNClient } from '@aws-sdk/client-sfn';
import { createStepFunctionsWorkflows } from '../stepfunctions/workflows.ts';
import type { AwsBase } from './base.ts';

/** Executions in Step Functions. */
export const wireWorkflows = ({ clients, deployment, config }: AwsBase) => ({
  workflows: createStepFunctionsWorkflows({
    client: clients.of(SFNClient),
    location: { ...deployment, environment: config.environment, region: config.region },
  }),
});
