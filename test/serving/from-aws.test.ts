import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { modelsOnAws } from '../../serving/ml-engine/from-aws.ts';
import { freePort } from '../free-port.ts';
import { freshDir } from '../fresh-dir.ts';

const table = mockClient(DynamoDBDocumentClient);
const variables = { AWS_REGION: 'us-west-2', TABLE: 'epsilon-prod' };
const target = { tenantId: 'acme', runId: 'acme-1' };

afterEach(() => table.reset());

describe('ml-engine on AWS', () => {
  it("looks up a tenant's live model by one call to the control table, of its partition alone", async () => {
    table.on(GetCommand).resolves({});
    expect(await modelsOnAws(variables).models.live('acme')).toBeUndefined();
    expect(
      table.commandCalls(GetCommand).map(({ args: [{ input }] }) => [input.TableName, input.Key]),
    ).toEqual([['epsilon-prod', { pk: 'TENANT#acme', sk: 'LIVE' }]]);
  });

  it('has no entry of a cache whose secret is not there yet, and reads the secret again for each connection', async () => {
    const folder = freshDir();
    const { cache } = modelsOnAws({ ...variables, CACHE_SECRET: folder });
    expect(await cache?.read(target, 'p0')).toBeUndefined();
    writeFileSync(join(folder, 'url'), `redis://127.0.0.1:${await freePort()}\n`);
    writeFileSync(join(folder, 'token'), 'a-token\n');
    const refused = await cache?.read(target, 'p0').catch((error: Error) => error);
    expect(refused).toMatchObject({ code: 'CACHE_UNAVAILABLE', retryable: true });
    expect(String(refused)).not.toContain('a-token');
  });

  it('names the variable that is missing', () => {
    for (const name of ['AWS_REGION', 'TABLE'])
      expect(() => modelsOnAws({ ...variables, [name]: '' })).toThrow(`${name} is not set.`);
    expect(modelsOnAws(variables)).not.toHaveProperty('cache');
  });
});
