import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { Throttled } from '../errors/run-errors.ts';

/** A request below the prefix of an API: `/dags/...`. */
export interface AirflowRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** An answer: its status and JSON body (empty where it has none). */
export interface AirflowAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What takes requests to an Airflow. */
export interface AirflowTransport {
  /** `v1` is that of 2.x, `v2` that of 3.x. */
  readonly api: 'v1' | 'v2';
  /** What messages call it. */
  readonly where: string;
  /** Error: `Throttled` when nothing answers, `unclear` when the request may have been obeyed. */
  send(request: AirflowRequest): Promise<AirflowAnswer>;
}

/** Airflow's REST API: answers, and errors that say what can be done. */
export class AirflowApi {
  readonly api: AirflowTransport['api'];
  readonly #transport: AirflowTransport;

  constructor(transport: AirflowTransport) {
    this.api = transport.api;
    this.#transport = transport;
  }

  /**
   * Sends a request below the API's prefix. 404 and 409 are answers. Errors: `AIRFLOW_ACCESS_DENIED`, `AIRFLOW_REFUSED`; `Throttled` when
   * it does not answer or is too busy, `unclear` when it may have done what a POST or PATCH asked.
   */
  async call(method: string, path: string, body?: unknown): Promise<AirflowAnswer> {
    const request = { method, path, ...(body === undefined ? {} : { body }) };
    return judged(await this.#transport.send(request), `${method} ${path} of ${this.#transport.where}`);
  }
}

/** The answer where it is one, the error that it means otherwise; `asked` says what it answers, method first. */
export function judged(answer: AirflowAnswer, asked: string): AirflowAnswer {
  const { status, body } = answer;
  if (status < 400 || status === 404 || status === 409) return answer;
  const detail = JSON.stringify(body['detail'] ?? body['title'] ?? body).slice(0, 500);
  const where = `${asked}: ${status} ${detail}`;
  if (status === 401 || status === 403)
    throw new EpsilonError('AIRFLOW_ACCESS_DENIED', `Airflow refuses the credentials: ${where}.`, {
      exitCode: exitCodes.backend,
    });
  if (status === 429 || status >= 500)
    throw new Throttled(`Airflow is busy or failing: ${where}.`, undefined, {
      unclear: !asked.startsWith('GET ') && status !== 429,
    });
  throw new EpsilonError('AIRFLOW_REFUSED', `Airflow refuses a request: ${where}.`, {
    exitCode: exitCodes.backend,
  });
}
