import { SFNClient } from '@aws-sdk/client-sfn';
import { createStepFunctionsWorkflows } from '../stepfunctions/workflows.ts';
import type { AwsBase, PortsPart } from './base.ts';

/** Executions in Step Functions. */
export const part = ({ clients, deployment, config }: AwsBase): PortsPart => ({
  workflows: createStepFunctionsWorkflows({
    client: clients.of(SFNClient),
    place: { ...deployment, environment: config.environment, region: config.region },
  }),
});
