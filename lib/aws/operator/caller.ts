import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { explained } from '../errors/service-errors.ts';

/** Whose credentials these are. */
export interface Caller {
  readonly accountId: string;
  readonly partition: string;
  readonly arn: string;
}

/** Asks whose credentials these are; `WRONG_ACCOUNT` when they are not of the account that is meant. */
export async function callerOf(
  client: STSClient,
  { environment, account }: { readonly environment: string; readonly account?: string | undefined },
): Promise<Caller> {
  const { Account: accountId = '', Arn: arn = '' } = await explained(
    'sts:GetCallerIdentity',
    'these credentials',
    () => client.send(new GetCallerIdentityCommand({})),
  );
  if (account !== undefined && account !== accountId) {
    throw new EpsilonError(
      'WRONG_ACCOUNT',
      `These credentials (${arn}) belong to account ${accountId}, but environment ${environment} is configured for account ${account}; nothing was changed.`,
      { exitCode: exitCodes.badInput, details: { expected: account, actual: accountId } },
    );
  }
  return { accountId, partition: arn.split(':')[1] || 'aws', arn };
}
