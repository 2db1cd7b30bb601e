import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lentCredentials } from '../../workload/credentials/lent-credentials.ts';

const url = 'https://api.execute-api.us-west-2.amazonaws.com/live/credentials';
const given = '{"Version":1,"AccessKeyId":"ASIA"}';

/** The question, answered with these statuses one after another; what was sent. */
async function ask(...statuses: readonly number[]) {
  const sent: { readonly headers: unknown; readonly body: unknown }[] = [];
  const waits: number[] = [];
  const text = await lentCredentials({
    url,
    runId: 'acme-2026-11-24',
    stage: 'train',
    attempt: 1,
    sign: async ({ headers }) => ({ headers: { ...headers, authorization: 'signed' } }),
    fetch: async (_to, init) => {
      sent.push({ headers: init?.headers, body: init?.body });
      const status = statuses[sent.length - 1] ?? statuses.at(-1) ?? 200;
      return new Response(status === 200 ? given : '{"code":"SOME_CODE"}', { status });
    },
    wait: async (milliseconds) => waits.push(milliseconds),
  }).catch((error: unknown) => error);
  return { text, sent, waits };
}

describe('the credentials program on Batch', () => {
  it('sends which attempt it is, signed, and passes on what it gets', async () => {
    const { text, sent } = await ask(200);
    expect(text).toBe(given);
    expect(sent).toEqual([
      {
        headers: {
          host: 'api.execute-api.us-west-2.amazonaws.com',
          'content-type': 'application/json',
          authorization: 'signed',
        },
        body: '{"runId":"acme-2026-11-24","stage":"train","attempt":1}',
      },
    ]);
  });

  it('asks again while it is too early, or the other side has a fault', async () => {
    const { text, waits } = await ask(409, 503, 429, 200);
    expect(text).toBe(given);
    expect(waits).toEqual([2_000, 2_000, 2_000]);
  });

  it('gives up at once when it is refused, and after a minute when nothing changes', async () => {
    expect((await ask(403)).text).toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      message: expect.stringMatching(/403.*SOME_CODE/),
    });
    expect((await ask(409)).sent).toHaveLength(30);
  });
});

function runProgram(variables: Readonly<Record<string, string>>) {
  return spawnSync(process.execPath, ['workload/credentials/main.ts'], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...variables },
  });
}

describe('the credentials program', () => {
  it('is what SDKs are pointed to in every image', () => {
    expect(readFileSync('workload/credentials/aws-config', 'utf8')).toContain(
      '[default]\ncredential_process = node /app/workload/credentials/main.ts\n',
    );
    for (const image of ['data-pipeline', 'ml-engine', 'deployer'])
      expect(readFileSync(`workload/${image}/Dockerfile`, 'utf8')).toContain(
        'AWS_CONFIG_FILE=/app/workload/credentials/aws-config',
      );
  });

  it('writes nothing to stdout and ends with 1 when its environment does not say where to ask', () => {
    const { status, stdout, stderr } = runProgram({
      EPSILON_RUN_ID: 'acme-2026-11-24',
      EPSILON_TRAINING_STAGE: 'train',
      EPSILON_ATTEMPT: '1',
      EPSILON_OUTPUT: 's3://data/acme/runs/acme-2026-11-24/train/1/',
      AWS_REGION: 'us-west-2',
    });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Neither EPSILON_CREDENTIALS_URL nor EPSILON_JOB_ROLE_ARN is set');
  });
});
