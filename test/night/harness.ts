import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobObservation, JobRef, JobSpec } from '../../lib/training/attempts/job.ts';
import { stopReasonOf } from '../../lib/training/attempts/stop-reason.ts';
import { seededRandom } from '../../local/clock/seeded-random.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import type { JobListener, LocalJobRunner } from '../../local/jobs/local-job-runner.ts';
import { openRuntime, type Runtime, type RuntimeOptions } from '../../local/runtime.ts';
import { aTenant } from '../fixtures/records.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';
import { freshDir } from '../local/asl/harness.ts';

/** How a scripted job ends: after `seconds` of virtual time, or never. */
export interface Fate {
  readonly seconds?: number;
  readonly never?: boolean;
  /** Seconds the job waits for capacity before it runs; Infinity when it finds none. */
  readonly pendingSeconds?: number;
  readonly exitCode?: number;
  readonly reason?: NonNullable<JobObservation['reason']>;
  readonly message?: string;
  /** The job ends, but nobody is told: only the backend knows. */
  readonly silent?: boolean;
  /** The backend forgets the job when it ends. */
  readonly vanish?: boolean;
}

const results: Readonly<Record<string, Record<string, unknown>>> = {
  prepare: { passages: 12 },
  train: { words: 100, dimensions: 8, checksums: { model: 'm' } },
  index: { vectors: 12, dimensions: 8, checksums: { index: 'i' } },
  deploy: { selfRetrieval: 1 },
  cache: { entries: 12 },
};

/** Jobs that do nothing but end as the test's script says; the backend outlives every control plane. */
export class ScriptedJobs {
  readonly specs: JobSpec[] = [];
  readonly cancelled: string[] = [];
  readonly observations = new Map<string, JobObservation>();
  /** Job name to the instance it runs on. */
  readonly instances = new Map<string, string>();
  readonly clock: VirtualClock;
  readonly objectsRoot: string;
  fate: (spec: JobSpec) => Fate = () => ({});
  onSubmit: (spec: JobSpec) => void = () => {};
  /** What happens before the backend hears of a submission: it may fail or never end. */
  beforeSubmit: (spec: JobSpec) => Promise<void> = async () => {};
  listener: JobListener = () => {};

  constructor(clock: VirtualClock, objectsRoot: string) {
    this.clock = clock;
    this.objectsRoot = objectsRoot;
  }

  /** What a stage leaves behind, as far as promotion copies it. */
  #write({ outputUri }: JobSpec): void {
    const folder = join(this.objectsRoot, outputUri.slice('s3://'.length));
    mkdirSync(folder, { recursive: true });
    for (const name of ['model.bin', 'index.faiss', 'manifest.json'])
      writeFileSync(join(folder, name), outputUri);
  }

  /** Job names that are neither over nor forgotten. */
  live(): string[] {
    return [...this.observations.values()]
      .filter(({ state }) => state === 'running' || state === 'pending')
      .map(({ jobName }) => jobName);
  }

  runner(listener: JobListener): LocalJobRunner {
    this.listener = listener;
    return {
      backend: 'local',
      submit: async (spec) => {
        await this.beforeSubmit(spec);
        return this.#submit(spec);
      },
      find: async (jobName) => this.observations.get(jobName),
      observe: async (jobs: readonly JobRef[]) =>
        new Map(
          jobs.flatMap(({ jobName }) => {
            const found = this.observations.get(jobName);
            return found ? [[jobName, found] as const] : [];
          }),
        ),
      cancel: async ({ jobName }, reason) => {
        this.cancelled.push(jobName);
        this.#end(jobName, { exitCode: 143, reason: stopReasonOf(reason), message: reason });
      },
      runningOn: async (instanceId) =>
        this.specs.filter(
          ({ jobName }) =>
            this.instances.get(jobName) === instanceId && this.observations.get(jobName)?.state === 'running',
        ),
      recover: () => ({ adopted: 0, queued: 0, lost: 0 }),
      close: () => {},
    };
  }

  #submit(spec: JobSpec): JobRef {
    const ref = { jobName: spec.jobName, jobId: `id-${spec.jobName}` };
    if (this.observations.has(spec.jobName)) return ref;
    this.specs.push(spec);
    const fate = this.fate(spec);
    this.observations.set(spec.jobName, { ...ref, state: 'pending', capacity: spec.capacity });
    if (fate.pendingSeconds === undefined) this.#run(spec, fate);
    else if (Number.isFinite(fate.pendingSeconds))
      this.clock.setTimer(fate.pendingSeconds * 1000, () => this.#run(spec, fate));
    this.onSubmit(spec);
    return ref;
  }

  /** The job has its capacity; the listener hears of it only when it had to wait, as a job that starts at once is told of late. */
  #run(spec: JobSpec, fate: Fate): void {
    const before = this.observations.get(spec.jobName);
    if (before?.state !== 'pending') return;
    const startedAt = new Date(this.clock.now()).toISOString();
    const after: JobObservation = { ...before, state: 'running', startedAt };
    this.observations.set(spec.jobName, after);
    if (fate.pendingSeconds !== undefined) this.listener(after, spec);
    if (!fate.never)
      this.clock.setTimer((fate.seconds ?? 1) * 1000, () => this.#end(spec.jobName, fate, spec));
  }

  #end(jobName: string, fate: Fate, spec = this.specs.find((one) => one.jobName === jobName)): void {
    const before = this.observations.get(jobName);
    if (!before || !spec || before.state === 'succeeded' || before.state === 'failed') return;
    const good = (fate.exitCode ?? 0) === 0 && (fate.reason ?? 'completed') === 'completed';
    const after: JobObservation = {
      ...before,
      state: good ? 'succeeded' : 'failed',
      reason: fate.reason ?? (good ? 'completed' : 'error'),
      exitCode: fate.exitCode ?? (good ? 0 : 1),
      ...(fate.message === undefined ? {} : { message: fate.message }),
      ...(good ? { result: results[spec.stage] ?? {} } : {}),
    };
    if (good) this.#write(spec);
    if (fate.vanish) this.observations.delete(jobName);
    else this.observations.set(jobName, after);
    if (!fate.silent && !fate.vanish) this.listener(after, spec);
  }
}

/** A whole control plane over scripted jobs and virtual time. */
export interface Night {
  runtime: Runtime;
  readonly clock: VirtualClock;
  readonly jobs: ScriptedJobs;
  readonly faults: Error[];
  /** Adds tenants by id. */
  add(...tenantIds: string[]): Promise<void>;
  /** Lets time run until the execution is over. */
  until(
    arn: string,
    hours?: number,
  ): Promise<Awaited<ReturnType<Runtime['control']['workflows']['describe']>>>;
  /** Fires the schedule and gives the night's ARN. */
  fire(scheduledTime?: string): Promise<string>;
  /** Trains one tenant by hand and gives the execution's ARN. */
  train(tenantId: string, name?: string): Promise<string>;
  states(arn: string): Promise<string[]>;
  /** Lets time run, timer by timer, for so many milliseconds. */
  advance(ms: number): Promise<void>;
  /** Lets what needs no time happen. */
  settle(): Promise<void>;
  /** The process dies and another one takes over, after what is done in between. */
  restart(between?: () => Promise<void>): Promise<void>;
}

/** Opens a control plane at midnight before the night of 2026-11-24. */
export async function openNight(
  options: Pick<RuntimeOptions, 'makeStores'> & {
    readonly schedules?: boolean;
    readonly variables?: Record<string, string>;
    /** Runs jobs on another backend than the scripted one. */
    readonly makeRunner?: (place: {
      readonly clock: VirtualClock;
      readonly objectsRoot: string;
    }) => LocalJobRunner;
    /** Where serverless.yml is read from, each time the control plane opens. */
    readonly projectDir?: () => string;
  } = {},
): Promise<Night> {
  const clock = new VirtualClock(Date.parse('2026-11-24T01:59:00Z'));
  const stateDir = freshDir();
  const jobs = new ScriptedJobs(clock, join(stateDir, 'state', 'objects'));
  const faults: Error[] = [];
  const ids = sequentialIds();
  const open = () =>
    openRuntime({
      projectDir: options.projectDir?.() ?? resolve('.'),
      stateDir: `${stateDir}/state`,
      mode: 'write',
      variables: options.variables ?? {},
      clock,
      ids,
      random: seededRandom(3),
      schedules: options.schedules ?? true,
      onFault: (error) => faults.push(error),
      makeRunner: (listener) =>
        options.makeRunner?.({ clock, objectsRoot: jobs.objectsRoot }) ?? jobs.runner(listener),
      ...(options.makeStores ? { makeStores: options.makeStores } : {}),
    });
  const night: Night = {
    runtime: await open(),
    clock,
    jobs,
    faults,
    add: async (...tenantIds) => {
      const { ports } = night.runtime;
      for (const tenantId of tenantIds) {
        await ports.tenants.put(aTenant({ tenantId, backend: ports.jobs.batch ? 'batch' : 'local' }), 0);
      }
    },
    settle: async () => {
      await night.runtime.idle();
      await clock.advance(0);
      await night.runtime.idle();
    },
    advance: async (ms) => {
      const end = clock.now() + ms;
      for (;;) {
        await night.settle();
        const wait = clock.untilNext();
        if (wait === undefined || clock.now() + wait > end) break;
        await clock.advance(wait);
      }
      await clock.advanceTo(end);
      await night.settle();
    },
    until: async (arn, hours = 72) => {
      const end = clock.now() + hours * 3_600_000;
      for (;;) {
        await night.settle();
        const detail = await night.runtime.control.workflows.describe(arn);
        if (detail.status !== 'RUNNING') {
          await night.settle();
          return detail;
        }
        if (faults[0]) throw faults[0];
        const wait = clock.untilNext();
        if (wait === undefined || clock.now() + wait > end)
          throw new Error(`${arn} is still running at ${new Date(clock.now()).toISOString()}`);
        await clock.advance(wait);
      }
    },
    fire: async (scheduledTime = '2026-11-24T02:00:00.000Z') => {
      await night.runtime.control.schedules.fire('nightly-training', scheduledTime);
      const [newest] = await night.runtime.control.workflows.list({ machine: 'nightly-training', limit: 1 });
      return newest?.executionArn ?? '';
    },
    train: async (tenantId, name = `${tenantId}-manual`) => {
      const { executionArn } = await night.runtime.ports.workflows.start({
        machine: 'tenant-model-training',
        name,
        input: { tenantId },
      });
      return executionArn;
    },
    states: async (arn) => {
      const events = await Array.fromAsync(night.runtime.control.workflows.history(arn));
      return events
        .filter((event) => event.type.endsWith('StateEntered'))
        .map((event) => (event['stateEnteredEventDetails'] as { name: string }).name);
    },
    restart: async (between) => {
      await night.runtime.close();
      await between?.();
      night.runtime = await open();
    },
  };
  return night;
}
