import { setTimeout as pause } from 'node:timers/promises';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { Answer } from './send.ts';

/** A request, as the signer takes it. */
export interface SignableRequest {
  readonly hostname: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** What the question is asked with. */
export interface LentCredentialsOptions {
  readonly url: string;
  readonly runId: string;
  readonly stage: string;
  readonly attempt: number;
  /** Of a job that looks at datasets of several tenants: whose credentials; the job's own where absent. */
  readonly tenantId?: string;
  /** Signs as the role that the job starts with. */
  readonly sign: (request: SignableRequest) => Promise<Record<string, string>>;
  readonly send: (headers: Record<string, string>, body: string) => Promise<Answer>;
  /** Waits so many milliseconds; a test does not. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** Milliseconds between two tries, and how many: the job's id is on record seconds after the job may have begun. */
const betweenTries = 2_000;
const mostTries = 30;

/** Statuses that pass: too early, too many, and faults of the other side. */
const passes = (status: number) => status === 409 || status === 429 || status >= 500;

/**
 * Asks for credentials of this attempt, in the form of `credential_process`. Error: `CREDENTIALS_REFUSED` with what the API answered;
 * the answer never has credentials in it then.
 */
export async function lentCredentials(options: LentCredentialsOptions): Promise<string> {
  const { url, runId, stage, attempt, tenantId, sign, wait = pause } = options;
  const { hostname, pathname } = new URL(url);
  const body = JSON.stringify({ runId, stage, attempt, ...(tenantId === undefined ? {} : { tenantId }) });
  const plain = { host: hostname, 'content-type': 'application/json' };
  for (let tries = 1; ; tries += 1) {
    const headers = await sign({ hostname, path: pathname, headers: plain, body });
    const { status, text } = await options.send(headers, body);
    if (status === 200) return text;
    if (!passes(status) || tries === mostTries)
      throw new EpsilonError('CREDENTIALS_REFUSED', `${hostname} answered ${status}: ${text.slice(0, 300)}`);
    await wait(betweenTries);
  }
}
