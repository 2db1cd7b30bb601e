import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { openTableStores } from '../../../../lib/aws/table/open-stores.ts';
import { kmsKeyService } from '../../../../lib/aws/table/token-keys.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { openMemoryStores } from '../../../dynamodb/memory-stores.ts';
import { anAttempt } from '../../../fixtures/records.ts';

const day = 86_400_000;
const start = Date.parse('2026-11-24T02:00:00Z');
const secret = 'a-very-secret-token';

const open = () => {
  const clock = new VirtualClock(start);
  return { clock, ...openMemoryStores({ clock, maxAttempts: 1 }) };
};

describe('task tokens in the table', () => {
  it('task tokens in the table are never in plain text, and are read back', async () => {
    const { runs, dynamo } = open();
    await runs.createAttempt(anAttempt({ taskToken: secret }));
    expect(JSON.stringify(dynamo.table.all())).not.toContain(secret);
    expect(JSON.stringify(dynamo.calls)).not.toContain(secret);
    expect(await runs.getAttempt(anAttempt())).toMatchObject({ taskToken: secret });
  });

  it('task tokens cost one key call per process and day, however many there are', async () => {
    const { runs, keys, another, clock } = open();
    for (let attempt = 0; attempt < 5; attempt += 1)
      await runs.createAttempt(anAttempt({ runId: `r${attempt}` }));
    expect(keys.calls).toEqual(['generate']);
    const other = another();
    for (let attempt = 0; attempt < 5; attempt += 1)
      expect(await other.runs.getAttempt(anAttempt({ runId: `r${attempt}` }))).toMatchObject({
        taskToken: 'token-1',
      });
    await other.runs.createAttempt(anAttempt({ runId: 'more' }));
    expect(keys.calls).toEqual(['generate', 'unwrap']);
    await clock.advance(day);
    await runs.createAttempt(anAttempt({ runId: 'tomorrow' }));
    expect(keys.calls).toEqual(['generate', 'unwrap', 'generate']);
  });

  it("processes that create the day's key at once all use the stored one", async () => {
    const { runs, another, dynamo } = open();
    const [one, two] = [another(), another()];
    await Promise.all([
      runs.createAttempt(anAttempt({ runId: 'a' })),
      one.runs.createAttempt(anAttempt({ runId: 'b' })),
      two.runs.createAttempt(anAttempt({ runId: 'c' })),
    ]);
    for (const store of [runs, one.runs, two.runs, another().runs])
      for (const runId of ['a', 'b', 'c'])
        expect(await store.getAttempt(anAttempt({ runId }))).toMatchObject({ taskToken: 'token-1' });
    expect(dynamo.table.all().filter(({ pk }) => JSON.stringify(pk).includes('TOKENKEY'))).toHaveLength(1);
  });

  it("task tokens cannot be read any more when their day's key is deleted", async () => {
    const { runs, another, dynamo } = open();
    await runs.createAttempt(anAttempt());
    dynamo.table.sweep('ttl', (start + 7 * day) / 1000);
    expect(await another().runs.getAttempt(anAttempt())).toHaveProperty('taskToken');
    dynamo.table.sweep('ttl', (start + 9 * day) / 1000);
    const left = await another().runs.getAttempt(anAttempt());
    expect(left).toMatchObject({ status: 'submitted' });
    expect(left).not.toHaveProperty('taskToken');
  });

  it('task tokens can be unsealed only for the attempt they were sealed for', async () => {
    const { runs, dynamo } = open();
    await runs.createAttempt(anAttempt({ runId: 'a', taskToken: secret }));
    await runs.createAttempt(anAttempt({ runId: 'b', taskToken: 'another' }));
    const [a, b] = dynamo.table.all().filter((item) => 'sealedToken' in item);
    if (!a || !b) throw new Error('two attempts were stored');
    const stolen = { ...b, ...(a['sealedToken'] ? { sealedToken: a['sealedToken'] } : {}) };
    dynamo.table.put(stolen, {})();
    const read = await runs.getAttempt(anAttempt({ runId: 'b' }));
    expect(read).not.toHaveProperty('taskToken');
    expect(
      (await runs.listOpenAttempts({ shard: 0, shards: 1 })).map(({ taskToken }) => taskToken),
    ).toContain(secret);
  });

  it('task tokens need a key, which the error names when it is missing', async () => {
    const { dynamo, clock } = open();
    const without = openTableStores({
      client: dynamo.client(1),
      tableName: dynamo.tableName,
      clock,
      random: () => 1,
      tokenKeyArn: undefined,
      ids: { ulid: () => 'u', traceId: () => 't', secret: () => 's' },
      kms: async () => {
        throw new Error('not asked');
      },
    });
    await expect(without.runs.createAttempt(anAttempt())).rejects.toMatchObject({
      code: 'DEPLOYMENT_INCOMPLETE',
      message: expect.stringContaining('EPSILON_AWS_TOKEN_KEY_ARN'),
    });
  });
});

describe('the key service', () => {
  const kms = mockClient(KMSClient);
  const KeyId = 'arn:aws:kms:us-west-2:123456789012:key/tokens';
  const EncryptionContext = { 'epsilon:purpose': 'task-token' };
  const service = () => kmsKeyService(new KMSClient({ region: 'us-west-2' }), KeyId);
  const wrapped = new Uint8Array([1, 2, 3]);
  const named = (name: string) => Object.assign(new Error(name), { name });

  afterEach(() => kms.reset());

  it('the key service calls KMS with exactly what is needed, under the encryption context', async () => {
    kms.on(GenerateDataKeyCommand).resolves({ Plaintext: new Uint8Array(32), CiphertextBlob: wrapped });
    kms.on(DecryptCommand).resolves({ Plaintext: new Uint8Array(32) });
    const keys = await service();
    expect(await keys.generate()).toEqual({ key: new Uint8Array(32), wrapped });
    expect(await keys.unwrap(wrapped)).toEqual(new Uint8Array(32));
    expect(kms.commandCalls(GenerateDataKeyCommand)[0]?.args[0].input).toEqual({
      KeyId,
      EncryptionContext,
      KeySpec: 'AES_256',
    });
    expect(kms.commandCalls(DecryptCommand)[0]?.args[0].input).toEqual({
      KeyId,
      EncryptionContext,
      CiphertextBlob: wrapped,
    });
  });

  it.each([
    ['ThrottlingException', { name: 'Throttled', retryable: true }],
    ['AccessDeniedException', { code: 'AWS_ACCESS_DENIED', details: { resource: KeyId } }],
    ['NotFoundException', { code: 'TOKEN_KEY_UNUSABLE', message: expect.stringContaining(KeyId) }],
    ['DisabledException', { code: 'TOKEN_KEY_UNUSABLE' }],
    ['KMSInvalidStateException', { code: 'TOKEN_KEY_UNUSABLE' }],
    ['TimeoutError', { name: 'TimeoutError' }],
  ])('the key service reports %s with a code of its own, for both calls', async (name, told) => {
    kms.on(GenerateDataKeyCommand).rejects(named(name)).on(DecryptCommand).rejects(named(name));
    const keys = await service();
    await expect(keys.generate()).rejects.toMatchObject(told);
    await expect(keys.unwrap(wrapped)).rejects.toMatchObject(told);
  });

  it('the key service is called again by the next token after a failure', async () => {
    const { runs, keys } = open();
    const generate = keys.generate.bind(keys);
    let failures = 1;
    keys.generate = async () => {
      failures -= 1;
      if (failures >= 0) throw named('TimeoutError');
      return generate();
    };
    await expect(runs.createAttempt(anAttempt())).rejects.toMatchObject({ name: 'TimeoutError' });
    await runs.createAttempt(anAttempt());
    expect(await runs.getAttempt(anAttempt())).toMatchObject({ taskToken: 'token-1' });
  });
});
