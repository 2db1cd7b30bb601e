import { SFNClient } from '@aws-sdk/client-sfn';
import type { AwsBase, PortsPart } from '../base.ts';
import { createTaskCallbacks } from '../task-callbacks.ts';

/** Task callbacks to Step Functions. */
export const part = ({ clients }: AwsBase): PortsPart => ({
  callbacks: createTaskCallbacks({ client: clients.of(SFNClient) }),
});
