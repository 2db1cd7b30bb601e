import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createSecretReader } from '../../../../lib/aws/secretsmanager/secret-reader.ts';

const manager = mockClient(SecretsManagerClient);
const secrets = createSecretReader({ client: new SecretsManagerClient({ region: 'us-west-2' }) });
const arn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:epsilon/dev/redis-AbCdEf';
const failing = (name: string) => Object.assign(new Error(name), { name });

afterEach(() => manager.reset());

describe('the secret reader', () => {
  it('asks for the current value, each time anew', async () => {
    manager.on(GetSecretValueCommand).resolvesOnce({ SecretString: 'one' }).resolves({ SecretString: 'two' });
    expect([await secrets.read(arn), await secrets.read(arn)]).toEqual(['one', 'two']);
    expect(manager.commandCalls(GetSecretValueCommand).map((call) => call.args[0].input)).toEqual([
      { SecretId: arn },
      { SecretId: arn },
    ]);
  });

  it.each([
    ['ResourceNotFoundException', { code: 'SECRET_NOT_FOUND', message: expect.stringContaining(arn) }],
    ['InvalidRequestException', { code: 'SECRET_NOT_FOUND' }],
    ['ThrottlingException', { name: 'Throttled', retryable: true }],
    ['TimeoutError', { name: 'TimeoutError' }],
    [
      'AccessDeniedException',
      { code: 'AWS_ACCESS_DENIED', details: { action: 'secretsmanager:GetSecretValue', resource: arn } },
    ],
  ])('tells %s as ours', async (name, told) => {
    manager.on(GetSecretValueCommand).rejects(failing(name));
    await expect(secrets.read(arn)).rejects.toMatchObject(told);
  });

  it('refuses a secret without text', async () => {
    manager.on(GetSecretValueCommand).resolves({ SecretBinary: new Uint8Array([1]) });
    await expect(secrets.read(arn)).rejects.toMatchObject({ code: 'SECRET_EMPTY' });
  });
});
