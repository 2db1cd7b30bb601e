import { createHash } from 'node:crypto';
import { inParallel } from '../concurrency/in-parallel.ts';
import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { detailTypes, eventDetail } from '../event-schemas/detail.ts';
import type { JobObservation, JobRef, JobRunner, JobSpec } from '../ports/job-runner.ts';
import { isOver } from '../training/attempts/job.ts';
import { type ResultSource, readResultOfEnd, resultFields } from '../training/attempts/job-result.ts';
import { stopReasonOf } from '../training/attempts/stop-reason.ts';
import type { AirflowApi } from './airflow-api.ts';

/** The shipped DAG: one run is one job (infra/airflow/dags/epsilon_stage.py). */
const stageDag = 'epsilon_stage';

/** Its one task, and the key under which that leaves the exit code of its pod. */
const stageTask = 'job';
const exitCodeKey = 'exit_code';

/** What a note of Epsilon on a run begins with; the reason of the stop follows. */
const notePrefix = 'stopped by Epsilon: ';

/** Characters that Airflow keeps of a note. */
const noteLength = 1_000;

/** Runs that are asked about side by side: the API has no question about many runs by their names. */
const askedAtOnce = 8;

/** Logical dates that are tried in turn for one run (v1). */
const datesTried = 4;

/** What the runner is made of. */
export interface AirflowJobRunnerOptions {
  readonly api: AirflowApi;
  readonly objects: ResultSource;
  /** The pod of a job, as the Kubernetes runner makes it. */
  readonly podOf: (spec: JobSpec) => Readonly<Record<string, unknown>>;
  /** Runs that the DAG has to allow at a time, so that a night is not one job after the other; 16 where it is absent. */
  readonly maxActiveRuns?: number;
  /** Epsilon's bus, on which a run reports its end where Airflow may put events; without it the reconciler alone finds ends. */
  readonly report?: { readonly bus: string; readonly region: string };
}

/** What the API says of a run. */
type RunJson = Readonly<Record<string, unknown>>;

const states: Readonly<Record<string, JobObservation['state']>> = {
  queued: 'pending',
  running: 'running',
  success: 'succeeded',
  failed: 'failed',
};

const runsPath = `/dags/${stageDag}/dagRuns`;
const runPath = (jobName: string) => `${runsPath}/${encodeURIComponent(jobName)}`;

/**
 * A logical date for 2.x, which demands one that no other run of the DAG has: from the name, so that the same job asks for the same date, in
 * the nine years after the DAG's start date. The night's own date would be that of all its tenants.
 */
function logicalDateOf(jobName: string, salt: number): string {
  const digest = createHash('sha256').update(`${salt}/${jobName}`).digest();
  const micros = digest.readUIntBE(0, 6);
  const milliseconds = Math.floor(micros / 1_000);
  const second = new Date(Date.UTC(2000, 0, 2) + milliseconds).toISOString().slice(0, -1);
  return `${second}${String(micros % 1_000).padStart(3, '0')}+00:00`;
}

/** Jobs as runs of a DAG of Airflow: the job's name is the run's id. Passes test/contract/job-runner.ts. */
export class AirflowJobRunner implements JobRunner {
  readonly backend = 'eks';
  readonly namesAreIds = true;
  readonly #options: AirflowJobRunnerOptions;
  readonly #api: AirflowApi;

  constructor(options: AirflowJobRunnerOptions) {
    this.#options = options;
    this.#api = options.api;
  }

  podOf(spec: JobSpec): Readonly<Record<string, unknown>> {
    return this.#options.podOf(spec);
  }

  /**
   * Whether Airflow would run jobs now. Errors: `AIRFLOW_DAG_MISSING`, `AIRFLOW_DAG_PAUSED` (its runs would stay queued), `AIRFLOW_DAG_LIMIT`.
   */
  async ready(): Promise<{ readonly dag: string; readonly maxActiveRuns: number }> {
    const { status, body } = await this.#api.call('GET', `/dags/${stageDag}/details`);
    const fault = (code: string, message: string) =>
      new EpsilonError(code, message, { exitCode: exitCodes.backend });
    if (status === 404)
      throw fault(
        'AIRFLOW_DAG_MISSING',
        `Airflow has no DAG ${stageDag}; "epsilon airflow export" writes it.`,
      );
    if (body['is_paused'] === true)
      throw fault('AIRFLOW_DAG_PAUSED', `The DAG ${stageDag} is paused in Airflow: its runs would wait.`);
    const allowed = Number(body['max_active_runs'] ?? 0);
    const wanted = this.#options.maxActiveRuns ?? 16;
    if (allowed < wanted)
      throw fault(
        'AIRFLOW_DAG_LIMIT',
        `The DAG ${stageDag} allows ${allowed} runs at a time (max_active_runs), ${wanted} are asked for.`,
      );
    return { dag: stageDag, maxActiveRuns: allowed };
  }

  async submit(spec: JobSpec): Promise<JobRef> {
    const { jobName } = spec;
    await this.ready();
    const ref = { jobName, jobId: jobName };
    for (let salt = 0; salt < (this.#api.api === 'v1' ? datesTried : 1); salt += 1) {
      const { status } = await this.#api.call('POST', runsPath, {
        dag_run_id: jobName,
        // 3.x takes none: then only the run's id is unique.
        logical_date: this.#api.api === 'v1' ? logicalDateOf(jobName, salt) : null,
        conf: this.#confOf(spec),
      });
      if (status < 300) return ref;
      // Conflict: with this very run, which is then this job, or with another one that has the logical date.
      if (status === 409 && (await this.#run(jobName))) return ref;
      if (status === 404) await this.ready();
    }
    throw new EpsilonError(
      'JOB_NAME_TAKEN',
      `Airflow refuses a run ${jobName} of ${stageDag} as a duplicate, but has none of that id.`,
      { exitCode: exitCodes.conflict, retryable: true },
    );
  }

  async find(jobName: string): Promise<JobObservation | undefined> {
    const run = await this.#run(jobName);
    return run ? this.#observe(jobName, run) : undefined;
  }

  async observe(jobs: readonly JobRef[]): Promise<ReadonlyMap<string, JobObservation>> {
    const seen = new Map<string, JobObservation>();
    await inParallel([...new Set(jobs.map(({ jobName }) => jobName))], askedAtOnce, async (jobName) => {
      const observed = await this.find(jobName);
      if (observed) seen.set(jobName, observed);
    });
    return seen;
  }

  async cancel({ jobName }: JobRef, reason: string): Promise<void> {
    const run = await this.#run(jobName);
    if (!run || isOver(stateOf(run))) return;
    const note = `${notePrefix}${reason}`.slice(0, noteLength);
    const path = runPath(jobName);
    if (this.#api.api === 'v2') {
      await this.#api.call('PATCH', path, { state: 'failed', note });
      return;
    }
    // The reason first: a run that is stopped without one would look like a failure of its job.
    await this.#api.call('PATCH', `${path}/setNote`, { note });
    await this.#api.call('PATCH', path, { state: 'failed' });
  }

  #confOf(spec: JobSpec): Readonly<Record<string, unknown>> {
    const { priority: _priority, capacity: _capacity, resources: _resources, ...contract } = spec;
    const { stage, attempt, jobName } = spec;
    const { report } = this.#options;
    const event = {
      source: 'epsilon.jobs',
      'detail-type': detailTypes.jobStateChange,
      detail: eventDetail(
        { ...spec, traceparent: spec.environment['EPSILON_TRACEPARENT'] },
        { stage, attempt, jobName, jobId: jobName },
      ),
    };
    // Place and resources are the pod's.
    return { ...contract, pod: this.podOf(spec), ...(report ? { report: { ...report, event } } : {}) };
  }

  async #run(jobName: string): Promise<RunJson | undefined> {
    const { status, body } = await this.#api.call('GET', runPath(jobName));
    return status === 404 ? undefined : body;
  }

  async #observe(jobName: string, run: RunJson): Promise<JobObservation> {
    const state = stateOf(run);
    const known: JobObservation = {
      jobName,
      jobId: jobName,
      state,
      ...instant('startedAt', run['start_date']),
      ...instant('finishedAt', run['end_date']),
    };
    if (!isOver(state)) return known;
    const note = String(run['note'] ?? '');
    if (state === 'failed' && note.startsWith(notePrefix)) {
      const message = note.slice(notePrefix.length);
      return { ...known, reason: stopReasonOf(message), message };
    }
    const exitCode = state === 'succeeded' ? 0 : await this.#exitCode(jobName);
    const outputUri = (run['conf'] as { readonly outputUri?: unknown } | undefined)?.outputUri;
    const left =
      typeof outputUri === 'string'
        ? await readResultOfEnd(this.#options.objects, outputUri, state, () => {})
        : {};
    return {
      ...known,
      // Without an exit code no container has ended: Airflow, or the cluster, lost it.
      reason: state === 'succeeded' ? 'completed' : exitCode === undefined ? 'lost' : 'error',
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(state === 'failed' ? { message: `Run ${jobName} of ${stageDag} failed in Airflow.` } : {}),
      ...resultFields(left, state),
    };
  }

  async #exitCode(jobName: string): Promise<number | undefined> {
    const path = `${runPath(jobName)}/taskInstances/${stageTask}/xcomEntries/${exitCodeKey}`;
    const { status, body } = await this.#api.call('GET', path);
    const code = Number(body['value']);
    return status === 404 || !Number.isInteger(code) ? undefined : code;
  }
}

/** A state that this version does not know is one of a run that goes on. */
function stateOf(run: RunJson): JobObservation['state'] {
  return states[String(run['state'])] ?? 'running';
}

function instant<K extends string>(key: K, value: unknown): { readonly [P in K]?: string } {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? {} : ({ [key]: new Date(at).toISOString() } as { readonly [P in K]?: string });
}
