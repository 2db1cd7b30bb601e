/** A run of the played Airflow. */
export interface PlayedRun {
  readonly id: string;
  readonly conf: { readonly arguments?: readonly string[]; readonly outputUri?: string };
  readonly logicalDate: string | null;
  state: string;
  note: string | null;
  exitCode?: number;
}

type Answer = readonly [status: number, body?: unknown];

/** The part of Airflow's REST API that Epsilon uses, with the rules of either version: a key on DAG and run id, and on DAG and logical date. */
export class PlayedAirflow {
  readonly api: 'v1' | 'v2';
  readonly runs = new Map<string, PlayedRun>();
  readonly requests: string[] = [];
  password = 'right';
  /** Of the DAG; undefined when there is none. */
  dag: { is_paused: boolean; max_active_runs: number } | undefined = {
    is_paused: false,
    max_active_runs: 16,
  };
  /** Answers that come before all others, or an error that the connection ends with. */
  readonly faults: (Answer | Error)[] = [];
  tokens = 0;

  constructor(api: 'v1' | 'v2') {
    this.api = api;
  }

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input));
    const method = init.method ?? 'GET';
    this.requests.push(`${method} ${url.pathname}`);
    const body = init.body === undefined ? undefined : (JSON.parse(String(init.body)) as never);
    const fault = this.faults.shift();
    if (fault instanceof Error) throw fault;
    const authorization = new Headers(init.headers).get('authorization');
    const [status, answer] = fault ?? this.#answer(method, url.pathname, body, authorization);
    return new Response(answer === undefined ? null : JSON.stringify(answer), { status });
  };

  /** Lets the time pass in which queued runs come to their turn. */
  start(id: string): void {
    const run = this.runs.get(id);
    if (run?.state === 'queued') run.state = 'running';
  }

  /** Ends a run as the word in its arguments says. */
  end(id: string): void {
    const run = this.runs.get(id);
    if (!run || (run.state !== 'queued' && run.state !== 'running')) return;
    const does = run.conf.arguments?.at(-1);
    if (does === 'waits') return;
    run.exitCode = { fails: 1, rejects: 65 }[does ?? ''] ?? 0;
    run.state = run.exitCode === 0 ? 'success' : 'failed';
  }

  #answer(
    method: string,
    path: string,
    body: Record<string, never> | undefined,
    authorization: string | null,
  ): Answer {
    if (path === '/auth/token') {
      this.tokens += 1;
      return body?.['password'] === this.password
        ? [201, { access_token: `token-${this.tokens}` }]
        : [401, { detail: 'Invalid' }];
    }
    const wanted =
      this.api === 'v1'
        ? `Basic ${Buffer.from(`epsilon:${this.password}`).toString('base64')}`
        : `Bearer token-${this.tokens}`;
    if (authorization !== wanted) return [401, { title: 'Unauthorized' }];
    if (path === `/api/${this.api}/dags/epsilon_stage/details`)
      return this.dag ? [200, this.dag] : [404, { detail: 'not found' }];
    const [, id = '', rest = ''] = /\/dagRuns(?:\/([^/]+))?(\/.*)?$/.exec(path) ?? [];
    if (id === '') return this.#trigger(body ?? {});
    return this.#about(method, this.runs.get(decodeURIComponent(id)), rest, body ?? {});
  }

  #trigger(body: Record<string, never>): Answer {
    const { dag_run_id: id, logical_date: logicalDate, conf } = body;
    if (!this.dag) return [404, { detail: 'no DAG' }];
    const taken = [...this.runs.values()].some(
      (run) => run.id === id || (logicalDate !== null && run.logicalDate === logicalDate),
    );
    if (taken) return [409, { detail: 'already exists' }];
    if (this.api === 'v1' && typeof logicalDate !== 'string') return [400, { detail: 'logical_date' }];
    if (id !== undefined)
      this.runs.set(id, {
        id,
        conf: conf ?? {},
        logicalDate: logicalDate ?? null,
        state: 'queued',
        note: null,
      });
    return [200, {}];
  }

  #about(
    method: string,
    run: PlayedRun | undefined,
    rest: string,
    body: { readonly note?: string; readonly state?: string },
  ): Answer {
    if (!run) return [404, { detail: 'no run' }];
    if (rest.startsWith('/taskInstances/job/xcomEntries/'))
      return run.exitCode === undefined ? [404, {}] : [200, { value: String(run.exitCode) }];
    if (method === 'PATCH') {
      if (rest !== '/setNote' && body.state) run.state = body.state;
      if (body.note) run.note = body.note;
    }
    const { id: dag_run_id, state, note, conf } = run;
    return [200, { dag_run_id, state, note, conf }];
  }
}
