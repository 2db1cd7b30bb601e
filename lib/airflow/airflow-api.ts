import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { Throttled } from '../errors/run-errors.ts';

/** How an Airflow is reached. */
export interface AirflowAccess {
  /** Address of its web server, without path. */
  readonly url: string;
  /** `v1` is that of 2.x, `v2` that of 3.x. */
  readonly api: 'v1' | 'v2';
  /** Asked for whenever they are needed: they may be rotated. */
  readonly credentials: () => Promise<{ readonly username: string; readonly password: string }>;
  readonly fetch?: typeof fetch;
}

/** An answer: its status and JSON body (undefined where it has none). */
export interface AirflowAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Milliseconds for one request. */
const patienceMs = 20_000;

/** Airflow's REST API: authenticated requests, and errors that say what can be done. */
export class AirflowApi {
  readonly api: AirflowAccess['api'];
  readonly #access: AirflowAccess;
  readonly #fetch: typeof fetch;
  #token: Promise<string> | undefined;

  constructor(access: AirflowAccess) {
    this.api = access.api;
    this.#access = access;
    this.#fetch = access.fetch ?? fetch;
  }

  /**
   * Sends a request below the API's prefix. 404 and 409 are answers. Errors: `AIRFLOW_ACCESS_DENIED`, `AIRFLOW_REFUSED`; `Throttled` when
   * it does not answer or is too busy, `unclear` when it may have done what a POST or PATCH asked.
   */
  async call(method: string, path: string, body?: unknown): Promise<AirflowAnswer> {
    const first = await this.#send(method, path, { body, authorization: await this.#authorization() });
    if (first.status !== 401 || this.api === 'v1') return this.#judge(first, method, path);
    // The token has expired, or the server has a new key.
    this.#token = undefined;
    const again = await this.#send(method, path, { body, authorization: await this.#authorization() });
    return this.#judge(again, method, path);
  }

  async #authorization(): Promise<string> {
    if (this.api === 'v1') {
      const { username, password } = await this.#access.credentials();
      return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    }
    this.#token ??= this.#login();
    try {
      return `Bearer ${await this.#token}`;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  async #login(): Promise<string> {
    const answer = await this.#request('POST', '/auth/token', { body: await this.#access.credentials() });
    const { body } = this.#judge(answer, 'POST', '/auth/token');
    if (typeof body['access_token'] === 'string') return body['access_token'];
    throw new EpsilonError('AIRFLOW_REFUSED', `${this.#access.url}/auth/token answered without a token.`, {
      exitCode: exitCodes.backend,
    });
  }

  #send(
    method: string,
    path: string,
    options: { readonly body?: unknown; readonly authorization: string },
  ): Promise<AirflowAnswer> {
    return this.#request(method, `/api/${this.api}${path}`, options);
  }

  async #request(
    method: string,
    path: string,
    { body, authorization }: { readonly body?: unknown; readonly authorization?: string },
  ): Promise<AirflowAnswer> {
    try {
      const response = await this.#fetch(new URL(path, this.#access.url), {
        method,
        // What an answer forwards elsewhere must not get the credentials.
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
        headers: {
          accept: 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: bodyOf(text) };
    } catch (error) {
      throw new Throttled(`Airflow at ${this.#access.url} does not answer: ${reasonOf(error)}.`, error, {
        unclear: method !== 'GET',
      });
    }
  }

  #judge(answer: AirflowAnswer, method: string, path: string): AirflowAnswer {
    const { status, body } = answer;
    if (status < 400 || status === 404 || status === 409) return answer;
    const detail = JSON.stringify(body['detail'] ?? body['title'] ?? body).slice(0, 500);
    const where = `${method} ${path} of ${this.#access.url}: ${status} ${detail}`;
    if (status === 401 || status === 403)
      throw new EpsilonError('AIRFLOW_ACCESS_DENIED', `Airflow refuses the credentials: ${where}.`, {
        exitCode: exitCodes.backend,
      });
    if (status === 429 || status >= 500)
      throw new Throttled(`Airflow is busy or failing: ${where}.`, undefined, {
        unclear: method !== 'GET' && status !== 429,
      });
    throw new EpsilonError('AIRFLOW_REFUSED', `Airflow refuses a request: ${where}.`, {
      exitCode: exitCodes.backend,
    });
  }
}

function bodyOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // A proxy's page, or nothing.
  }
  return text === '' ? {} : { detail: text.slice(0, 200) };
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? `${message} (${cause.message})` : message;
}
