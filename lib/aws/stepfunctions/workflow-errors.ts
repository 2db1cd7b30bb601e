import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { Throttled } from '../../errors/run-errors.ts';
import { NotFound } from '../../errors/store-errors.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';

/** How often the SDK tried before it gave this error. */
export function attemptsOf(error: unknown): number {
  const { $metadata } = error as { $metadata?: { attempts?: number } };
  return $metadata?.attempts ?? 1;
}

type Explain = (about: { resource: string; name: string; message: string }, error: unknown) => unknown;

const explanations: Readonly<Record<string, Explain>> = {
  StateMachineDoesNotExist: ({ resource }) =>
    new NotFound('MACHINE_NOT_FOUND', `There is no state machine "${resource}" here.`),
  ResourceNotFound: ({ resource }) =>
    new NotFound(
      'MACHINE_NOT_FOUND',
      `State machine "${resource}" is not deployed here, or has no alias yet.`,
    ),
  StateMachineDeleting: ({ resource }) =>
    new NotFound('MACHINE_NOT_FOUND', `State machine "${resource}" is being deleted.`),
  ExecutionDoesNotExist: ({ resource }) =>
    new NotFound('EXECUTION_NOT_FOUND', `There is no execution ${resource}.`),
  InvalidArn: ({ resource }) =>
    new NotFound('EXECUTION_NOT_FOUND', `"${resource}" does not name an execution.`),
  ExecutionAlreadyExists: ({ resource, name }) =>
    new EpsilonError(
      'EXECUTION_ALREADY_EXISTS',
      `Execution "${name}" of ${resource} is running with another input or has ended; names are used once.`,
      { exitCode: exitCodes.conflict },
    ),
  ExecutionNotRedrivable: ({ resource, message }) =>
    new EpsilonError('REDRIVE_NOT_ALLOWED', `Execution "${resource}" cannot be redriven: ${message}`, {
      exitCode: exitCodes.conflict,
    }),
  ExecutionLimitExceeded: ({ resource }, error) =>
    new Throttled(`states:StartExecution on ${resource}: too many executions are open.`, error),
  InvalidName: ({ name, message }) =>
    new EpsilonError('RUN_NAME_INVALID', `Execution name ${JSON.stringify(name)}: ${message}`),
  InvalidExecutionInput: ({ message }) =>
    new EpsilonError('INPUT_INVALID', `The input was refused: ${message}`),
};

/** Turns what Step Functions answers into the errors of the Workflows port, or into those that every service shares. */
export function explainWorkflowError(error: unknown, action: string, resource: string, name = ''): unknown {
  const { message = '' } = error as Error;
  const explain = explanations[errorName(error)];
  if (explain) return explain({ resource, name, message: message.replace(/\.*$/, '.') }, error);
  if (errorName(error) === 'ValidationException' && /'input'|input length|size/i.test(message))
    return new EpsilonError('INPUT_TOO_LARGE', `The input was refused: ${message}`, { cause: error });
  return explainServiceError(error, action, resource);
}
