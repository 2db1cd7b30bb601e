import {
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { CallbackOutcome, TaskCallbacks } from '../../ports/task-callbacks.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';

/** The service's words for a token that is not waited for. */
const gone: ReadonlySet<string> = new Set(['TaskTimedOut', 'InvalidToken', 'TaskDoesNotExist']);

/** Longest error name and cause the service takes, in characters. */
const longestError = 256;
const longestCause = 32_768;

/** Step Functions' callbacks. A token that is gone is an outcome, not an error; the token itself is never in a message. */
export function createTaskCallbacks({ client }: { readonly client: SFNClient }): TaskCallbacks {
  async function outcomeOf(action: string, call: Promise<unknown>): Promise<CallbackOutcome> {
    try {
      await call;
      return 'delivered';
    } catch (error) {
      if (gone.has(errorName(error))) return 'gone';
      throw explainServiceError(error, action, 'the task of a token');
    }
  }
  return {
    succeed: (taskToken, output) =>
      outcomeOf(
        'states:SendTaskSuccess',
        client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output ?? null) })),
      ),
    fail: (taskToken, { error, cause }) =>
      outcomeOf(
        'states:SendTaskFailure',
        client.send(
          new SendTaskFailureCommand({
            taskToken,
            error: error.slice(0, longestError),
            cause: cause.slice(0, longestCause),
          }),
        ),
      ),
    heartbeat: (taskToken) =>
      outcomeOf('states:SendTaskHeartbeat', client.send(new SendTaskHeartbeatCommand({ taskToken }))),
  };
}
