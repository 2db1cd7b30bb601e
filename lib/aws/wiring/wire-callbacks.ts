import { SFNClient } from '@aws-sdk/client-sfn';
import { createTaskCallbacks } from '../stepfunctions/task-callbacks.ts';
import type { AwsBase, PortsPart } from './base.ts';

/** Task callbacks to Step Functions. */
export const part = ({ clients }: AwsBase): PortsPart => ({
  callbacks: createTaskCallbacks({ client: clients.of(SFNClient) }),
});
