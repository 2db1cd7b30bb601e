import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { ConsumerReport, Consumers } from '../../ports/backup/consumers.ts';
import { errorName, explained } from '../errors/service-errors.ts';

/** Which functions are asked: the beginning of their names, and their keys. */
interface Asked {
  /** `epsilon-<environment>`. */
  readonly prefix: string;
  readonly names: readonly string[];
}

/** Functions of the client's region, asked by the event that every handler answers (`epsilon:report`). */
export function lambdaConsumers(client: LambdaClient, { prefix, names }: Asked): Consumers {
  return {
    names,
    report: async (name, epoch) => {
      const FunctionName = `${prefix}-${name}`;
      const Payload = JSON.stringify({ 'epsilon:report': { epoch } });
      try {
        const answer = await explained('lambda:InvokeFunction', FunctionName, () =>
          client.send(new InvokeCommand({ FunctionName, Payload })),
        );
        const body = JSON.parse(new TextDecoder().decode(answer.Payload ?? new Uint8Array())) as {
          readonly errorMessage?: string;
        };
        if (answer.FunctionError === undefined) return body as ConsumerReport;
        throw new EpsilonError('CONSUMER_UNREADY', body.errorMessage ?? answer.FunctionError, {
          exitCode: exitCodes.backend,
          retryable: true,
        });
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
  };
}
