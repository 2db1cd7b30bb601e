import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { explainServiceError } from '../errors/service-errors.ts';
import type { Clients } from '../wiring/clients.ts';

/** The cache's token, in Secrets Manager; read for each connection, since it may have been rotated. Error: `CACHE_SECRET_INVALID`. */
export function cacheToken(clients: Clients, secret: string): () => Promise<string> {
  return async () => {
    const { GetSecretValueCommand, SecretsManagerClient } = await import('../lazy/secrets.ts');
    const { SecretString: token = '' } = await clients
      .of(SecretsManagerClient)
      .send(new GetSecretValueCommand({ SecretId: secret }))
      .catch((error: unknown) => {
        throw explainServiceError(error, 'secretsmanager:GetSecretValue', secret);
      });
    if (token !== '') return token;
    throw new EpsilonError('CACHE_SECRET_INVALID', `The secret ${secret} is empty.`, {
      exitCode: exitCodes.backend,
    });
  };
}
