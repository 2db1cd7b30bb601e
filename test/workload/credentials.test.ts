import { spawnSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { kept } from '../../workload/credentials/kept.ts';
import { lentCredentials } from '../../workload/credentials/lent-credentials.ts';
import { signed } from '../../workload/credentials/signed.ts';
import { freshDir } from '../fresh-dir.ts';

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
    sign: async ({ headers }) => ({ ...headers, authorization: 'signed' }),
    send: async (headers, body) => {
      sent.push({ headers, body });
      const status = statuses[sent.length - 1] ?? statuses.at(-1) ?? 200;
      return { status, text: status === 200 ? given : '{"code":"SOME_CODE"}' };
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

describe('the signature of a question', () => {
  it('is the one that the SDK makes', async () => {
    const own = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'a/secret+key', sessionToken: 'token/==' };
    const [hostname, path, body] = [
      'api.execute-api.us-west-2.amazonaws.com',
      '/live/credentials',
      '{"a":"ä"}',
    ];
    const request = { hostname, path, headers: { host: hostname, 'content-type': 'application/json' }, body };
    const now = new Date('2026-11-27T04:05:06.789Z');
    class Sha256 {
      readonly #hash;
      constructor(key?: string | ArrayBuffer | ArrayBufferView) {
        this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key as Uint8Array);
      }
      update = (data: string | ArrayBuffer | ArrayBufferView) => void this.#hash.update(data as Uint8Array);
      digest = async () => new Uint8Array(this.#hash.digest());
      reset = () => {};
    }
    const signer = new SignatureV4({
      service: 'execute-api',
      region: 'us-west-2',
      credentials: own,
      sha256: Sha256,
    });
    const theirs = await signer.sign(
      { ...request, method: 'POST', protocol: 'https:', query: {} },
      { signingDate: now },
    );
    expect(signed(request, own, { region: 'us-west-2', now })).toEqual(theirs.headers);
  });
});

describe('credentials that were given before', () => {
  const minute = 60_000;
  const lasting = (minutes: number) =>
    JSON.stringify({
      Version: 1,
      AccessKeyId: `for-${minutes}`,
      Expiration: new Date(minutes * minute).toISOString(),
    });

  /** A job whose program is started anew each time. */
  function aJob(of: readonly string[] = ['run', 'train', '1']) {
    const folder = freshDir();
    const asked: number[] = [];
    const get = (at: number, answer: string, on = of) =>
      kept({ folder, of: on, now: () => at * minute }, async () => {
        asked.push(at);
        return answer;
      });
    const file = () => join(folder, readdirSync(folder).find((name) => name.endsWith('.json')) ?? '');
    return { get, asked, folder, file };
  }

  it('are given once more while they last, and never after', async () => {
    const { get, asked } = aJob();
    expect(await get(0, lasting(15))).toBe(lasting(15));
    expect(await get(9, lasting(24))).toBe(lasting(15));
    expect(await get(10, lasting(25))).toBe(lasting(25));
    expect(asked).toEqual([0, 10]);
  });

  it('are of one attempt alone', async () => {
    const { get, asked } = aJob();
    await get(0, lasting(15));
    await get(1, lasting(16), ['run', 'train', '2']);
    expect(asked).toEqual([0, 1]);
  });

  it('are in a file that its user alone may read; any other file counts as none', async () => {
    const { get, asked, file } = aJob();
    await get(0, lasting(15));
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    chmodSync(file(), 0o644);
    await get(1, lasting(16));
    writeFileSync(file(), 'no JSON');
    await get(2, lasting(17));
    const link = file();
    const elsewhere = join(freshDir(), 'lasting');
    writeFileSync(elsewhere, lasting(99), { mode: 0o600 });
    rmSync(link);
    symlinkSync(elsewhere, link);
    await get(3, lasting(18));
    expect(asked).toEqual([0, 1, 2, 3]);
  });

  it('are asked for each time when they end soon, say no end, or cannot be kept', async () => {
    const { get, asked } = aJob();
    await get(0, lasting(5));
    await get(0, '{"Version":1}');
    expect(asked).toEqual([0, 0]);
    const nowhere = { folder: '/nonexistent', of: ['x'], now: () => 0 };
    expect(await kept(nowhere, async () => lasting(15))).toBe(lasting(15));
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
