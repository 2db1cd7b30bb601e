import { z } from 'zod';
import type { AirflowAccess, AirflowCredentials } from '../../airflow/http-transport.ts';
import { checkSchema } from '../../errors/check-schema.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';
import type { Clients } from '../wiring/clients.ts';

const credentialsSchema = z.object({ username: z.string().min(1), password: z.string().min(1) });

function fault(code: string, message: string): EpsilonError {
  return new EpsilonError(code, message, { exitCode: exitCodes.backend });
}

/** The credentials in a secret's text. What it is instead is not said: a secret is in no message. */
function credentialsIn(secret: string, text: string | undefined): AirflowCredentials {
  try {
    const parsed = checkSchema(credentialsSchema, JSON.parse(text ?? ''));
    if (parsed.success) return parsed.data;
  } catch {
    // No JSON.
  }
  throw fault(
    'AIRFLOW_SECRET_INVALID',
    `The secret ${secret} is no JSON object with "username" and "password".`,
  );
}

/**
 * Credentials of an Airflow, in a secret of Secrets Manager: read when they are first needed, and again when they were refused, since
 * they may have been rotated. Errors: `AIRFLOW_SECRET_MISSING`, `AIRFLOW_SECRET_INVALID`, `AWS_ACCESS_DENIED`.
 */
export function secretCredentials(clients: Clients, secret: string): AirflowAccess['credentials'] {
  let known: Promise<AirflowCredentials> | undefined;

  async function read(): Promise<AirflowCredentials> {
    const { GetSecretValueCommand, SecretsManagerClient } = await import('../lazy/secrets.ts');
    try {
      const { SecretString: text } = await clients
        .of(SecretsManagerClient)
        .send(new GetSecretValueCommand({ SecretId: secret }));
      return credentialsIn(secret, text);
    } catch (error) {
      if (errorName(error) === 'ResourceNotFoundException')
        throw fault(
          'AIRFLOW_SECRET_MISSING',
          `Secrets Manager has no secret ${secret} (setting airflow.secret).`,
        );
      throw explainServiceError(error, 'secretsmanager:GetSecretValue', secret);
    }
  }

  return async ({ refused }) => {
    if (refused) known = undefined;
    known ??= read();
    try {
      return await known;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
}
