import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { NotFound } from '../../errors/store-errors.ts';
import type { SecretReader } from '../../ports/secret-reader.ts';
import { errorName, explained } from '../errors/service-errors.ts';

/** Names under which the service says that a secret, or its value, is not there or on its way out. */
const gone: ReadonlySet<string> = new Set(['ResourceNotFoundException', 'InvalidRequestException']);

/** Secrets in Secrets Manager. */
export function createSecretReader({ client }: { readonly client: SecretsManagerClient }): SecretReader {
  return {
    read: async (secretArn) => {
      const { SecretString = '' } = await explained(
        'secretsmanager:GetSecretValue',
        secretArn,
        () => client.send(new GetSecretValueCommand({ SecretId: secretArn })),
        (error) =>
          gone.has(errorName(error))
            ? new NotFound('SECRET_NOT_FOUND', `There is no secret ${secretArn}, or it is being deleted.`)
            : error,
      );
      if (SecretString !== '') return SecretString;
      throw new NotFound('SECRET_EMPTY', `Secret ${secretArn} has no text.`);
    },
  };
}
