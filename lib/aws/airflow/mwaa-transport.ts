import type { AirflowAnswer, AirflowRequest, AirflowTransport } from '../../airflow/airflow-api.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { Throttled } from '../../errors/run-errors.ts';

/** A request as a signer takes and gives it. */
interface SignableRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** What signs: the SDK's own signer, or one of a test. */
export interface RequestSigner {
  sign(request: SignableRequest): Promise<SignableRequest>;
}

/** Which environment of Amazon Managed Workflows for Apache Airflow is asked, and how. */
export interface MwaaAccess {
  readonly environmentName: string;
  readonly api: AirflowTransport['api'];
  readonly region: string;
  /** `amazonaws.com`, or that of another partition. */
  readonly dnsSuffix: string;
  readonly signer: () => Promise<RequestSigner>;
  readonly fetch?: typeof fetch;
}

/** Milliseconds for one request. */
const patienceMs = 20_000;

/** What InvokeRestApi answers: Airflow's own answer, or an error of the service. */
interface Invoked {
  readonly RestApiStatusCode?: number;
  readonly RestApiResponse?: unknown;
  readonly message?: string;
}

/**
 * Requests to MWAA's web server by `InvokeRestApi`, as this process's own role: an environment has no password. The service forwards a
 * path below the API's prefix and wraps Airflow's answer, an error of Airflow as an exception that holds it.
 */
export class AirflowOnMwaa implements AirflowTransport {
  readonly api: AirflowTransport['api'];
  readonly where: string;
  readonly #access: MwaaAccess;

  constructor(access: MwaaAccess) {
    this.api = access.api;
    this.where = `MWAA ${access.environmentName}`;
    this.#access = access;
  }

  async send(request: AirflowRequest): Promise<AirflowAnswer> {
    const { status, type, body } = await this.#invoke(request);
    if (body.RestApiStatusCode !== undefined)
      return { status: body.RestApiStatusCode, body: asObject(body.RestApiResponse) };
    if (type.startsWith('ResourceNotFoundException'))
      throw new EpsilonError(
        'AIRFLOW_ENVIRONMENT_MISSING',
        `${this.where} does not exist in ${this.#access.region} (setting airflow.environmentName).`,
        { exitCode: exitCodes.backend },
      );
    return { status, body: { detail: `${type} ${body.message ?? ''}`.trim() } };
  }

  async #invoke({ method, path, body }: AirflowRequest): Promise<{
    readonly status: number;
    readonly type: string;
    readonly body: Invoked;
  }> {
    const { environmentName, region, dnsSuffix, signer, fetch: send = fetch } = this.#access;
    const hostname = `env.airflow.${region}.${dnsSuffix}`;
    const signed = await (await signer()).sign({
      method: 'POST',
      protocol: 'https:',
      hostname,
      path: `/restapi/${environmentName}`,
      headers: { host: hostname, 'content-type': 'application/json' },
      body: JSON.stringify({ Path: path, Method: method, ...(body === undefined ? {} : { Body: body }) }),
    });
    try {
      const { host: _ours, ...headers } = signed.headers;
      const response = await send(`https://${hostname}${signed.path}`, {
        method: 'POST',
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
        headers,
        body: signed.body,
      });
      const type = response.headers.get('x-amzn-errortype') ?? '';
      return { status: response.status, type, body: asObject(parsed(await response.text())) };
    } catch (error) {
      throw new Throttled(`${this.where} does not answer: ${(error as Error).message}.`, error, {
        unclear: method !== 'GET',
      });
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 200) };
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  return value === undefined ? {} : { detail: String(value).slice(0, 200) };
}
