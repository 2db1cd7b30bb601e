import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { Throttled } from '../errors/run-errors.ts';
import { type AirflowAnswer, type AirflowRequest, type AirflowTransport, judged } from './airflow-api.ts';

/** Who asks. */
export interface AirflowCredentials {
  readonly username: string;
  readonly password: string;
}

/** How an Airflow is reached over HTTP. */
export interface AirflowAccess {
  /** Address of its web server, without path. */
  readonly url: string;
  readonly api: AirflowTransport['api'];
  /** Asked for whenever they are needed: they may be rotated. `refused`: those of the last answer were, and another answer is wanted. */
  readonly credentials: (asked: { readonly refused: boolean }) => Promise<AirflowCredentials>;
  readonly fetch?: typeof fetch;
}

/** Milliseconds for one request. */
const patienceMs = 20_000;

/** Requests to a web server: v1 with name and password, v2 with a token that these are exchanged for. */
export class AirflowOverHttp implements AirflowTransport {
  readonly api: AirflowTransport['api'];
  readonly where: string;
  readonly #access: AirflowAccess;
  readonly #fetch: typeof fetch;
  #token: Promise<string> | undefined;

  constructor(access: AirflowAccess) {
    this.api = access.api;
    this.where = access.url;
    this.#access = access;
    this.#fetch = access.fetch ?? fetch;
  }

  async send(request: AirflowRequest): Promise<AirflowAnswer> {
    const first = await this.#authorized(request, { refused: false });
    if (first.status !== 401) return first;
    // The token has expired, the server has a new key, or the password another value.
    this.#token = undefined;
    return this.#authorized(request, { refused: true });
  }

  async #authorized(request: AirflowRequest, asked: { readonly refused: boolean }): Promise<AirflowAnswer> {
    const authorization = await this.#authorization(asked);
    return this.#request({ ...request, path: `/api/${this.api}${request.path}` }, authorization);
  }

  async #authorization(asked: { readonly refused: boolean }): Promise<string> {
    if (this.api === 'v1') {
      const { username, password } = await this.#access.credentials(asked);
      return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    }
    this.#token ??= this.#login(asked);
    try {
      return `Bearer ${await this.#token}`;
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  async #login(asked: { readonly refused: boolean }): Promise<string> {
    const path = '/auth/token';
    const exchange = async (again: { readonly refused: boolean }) =>
      this.#request({ method: 'POST', path, body: await this.#access.credentials(again) });
    const first = await exchange(asked);
    const answer = first.status === 401 && !asked.refused ? await exchange({ refused: true }) : first;
    const { body } = judged(answer, `POST ${path} of ${this.where}`);
    if (typeof body['access_token'] === 'string') return body['access_token'];
    throw new EpsilonError('AIRFLOW_REFUSED', `${this.where}${path} answered without a token.`, {
      exitCode: exitCodes.backend,
    });
  }

  async #request({ method, path, body }: AirflowRequest, authorization?: string): Promise<AirflowAnswer> {
    try {
      const response = await this.#fetch(new URL(path, this.where), {
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
      return { status: response.status, body: bodyOf(await response.text()) };
    } catch (error) {
      throw new Throttled(`Airflow at ${this.where} does not answer: ${reasonOf(error)}.`, error, {
        unclear: method !== 'GET',
      });
    }
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
