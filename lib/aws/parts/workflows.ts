import { SFNClient } from '@aws-sdk/client-sfn';
import type { AwsBase, PortsPart } from '../base.ts';
import { createStepFunctionsWorkflows } from '../workflows.ts';

/** Executions in Step Functions. */
export const part = ({ clients, deployment, config }: AwsBase): PortsPart => ({
  workflows: createStepFunctionsWorkflows({
    client: clients.of(SFNClient),
    place: { ...deployment, environment: config.environment, region: config.region },
  }),
});
