import { SFNClient } from '@aws-sdk/client-sfn';
import { createTaskCallbacks } from '../stepfunctions/task-callbacks.ts';
import type { AwsBase } from './base.ts';

/** Task callbacks to Step Functions. */
export const wireCallbacks = ({ clients }: AwsBase) => ({
  callbacks: createTaskCallbacks({ client: clients.of(SFNClient) }),
});
