import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { lentCredentials } from './lent-credentials.ts';

/** SHA-256 as the signer wants it: plain, or keyed. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret === undefined || typeof secret === 'string' ? secret : bytesOf(secret);
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** Where ECS answers a task with the credentials of its role; the path is in the task's environment. */
const taskHost = 'http://169.254.170.2';

/** What the API that lends credentials is asked with. */
export interface ApiQuestion {
  readonly url: string;
  readonly region: string;
  readonly runId: string;
  readonly stage: string;
  readonly attempt: number;
  readonly tenantId?: string;
  /** Path of the task's own credentials (`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`). */
  readonly ownPath: string;
}

/**
 * Credentials of the task's own role. One request instead of the SDK's provider, whose loading takes as long as the whole question.
 * Error: `CREDENTIALS_NONE_OWN`.
 */
async function own(path: string) {
  const response = await fetch(new URL(path, taskHost));
  const given = (await response.json().catch(() => ({}))) as Readonly<Record<string, unknown>>;
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken } = given;
  if (
    typeof accessKeyId !== 'string' ||
    typeof secretAccessKey !== 'string' ||
    typeof sessionToken !== 'string'
  )
    throw new EpsilonError(
      'CREDENTIALS_NONE_OWN',
      `${taskHost} answered ${response.status}, without credentials.`,
    );
  return { accessKeyId, secretAccessKey, sessionToken };
}

/** On Batch: asks the API that lends credentials, signed as the task's own role. */
export function fromApi({ url, region, ownPath, ...attempt }: ApiQuestion): Promise<string> {
  const signer = new SignatureV4({
    service: 'execute-api',
    region,
    credentials: () => own(ownPath),
    sha256: Sha256,
  });
  return lentCredentials({
    ...attempt,
    url,
    sign: (request) => signer.sign(request),
    fetch: globalThis.fetch,
  });
}
