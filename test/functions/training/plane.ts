import type { Context } from 'aws-lambda';
import { handler as reconcileJobs } from '../../../functions/training/reconcile-jobs.ts';
import { handler as submitStage } from '../../../functions/training/submit-stage.ts';
import { loadConfig } from '../../../lib/config/load-config.ts';
import type { OutgoingEvent } from '../../../lib/ports/event-publisher.ts';
import type { JobRunner } from '../../../lib/ports/job-runner.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import type { ExecutionStatus, ExecutionSummary } from '../../../lib/ports/workflows.ts';
import type { JobObservation, JobRef } from '../../../lib/training/attempts/job.ts';
import type { StageName } from '../../../lib/training/stages.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { readYaml } from '../../../local/declaration/read-yaml.ts';
import { openLocalStores } from '../../../local/stores/local-stores.ts';
import { openMemoryStores } from '../../dynamodb/memory-stores.ts';
import { testPorts, workflowsOf } from '../../fixtures/ports.ts';
import { anAttempt, aRun } from '../../fixtures/records.ts';
import { freshDir } from '../../local/asl/harness.ts';

/** When every test of a plane begins. */
export const start = Date.parse('2026-11-24T03:00:00Z');

const settings = (shards: number) =>
  loadConfig({
    file: readYaml('infra/config/dev.yml'),
    variables: { EPSILON_RECONCILE_SHARDS: String(shards) },
  });

/** A control plane around real stores, with a scripted backend and scripted executions. */
export class Plane {
  readonly clock = new VirtualClock(start);
  readonly observed: number[] = [];
  readonly calls: string[] = [];
  readonly counted = new Map<string, number>();
  readonly published: OutgoingEvent[] = [];
  /** Milliseconds that every heartbeat takes. */
  heartbeatMs = 0;
  state: (jobName: string) => JobObservation['state'] | undefined = () => 'running';
  status: (arn: string) => ExecutionStatus = () => 'RUNNING';
  observeFails: (jobNames: readonly string[]) => boolean = () => false;
  heard: 'delivered' | 'gone' = 'delivered';
  remainingMs = 55_000;
  readonly ports: Ports;
  #invocations = 0;

  constructor(kind: 'SQLite' | 'DynamoDB', shards = 1, backend: Partial<JobRunner> = {}) {
    const stores =
      kind === 'SQLite' ? openLocalStores({ stateDir: freshDir() }) : openMemoryStores({ clock: this.clock });
    const note = (call: string) => void this.calls.push(call);
    const runner: JobRunner = {
      backend: 'local',
      submit: async ({ jobName }) => ({ jobName, jobId: jobName }),
      find: async () => undefined,
      cancel: async ({ jobName }) => note(`cancel ${jobName}`),
      observe: async (jobs) => this.#observe(jobs),
      ...backend,
    };
    this.ports = testPorts({
      ...stores,
      config: settings(shards),
      clock: this.clock,
      metrics: {
        count: (name, value) => void this.counted.set(name, (this.counted.get(name) ?? 0) + value),
        duration: () => {},
      },
      jobs: { local: runner, batch: undefined, eks: undefined },
      callbacks: {
        succeed: async (token) => this.#answer(`succeed ${token}`),
        fail: async (token) => this.#answer(`fail ${token}`),
        heartbeat: async (token) => {
          const { heartbeatMs } = this;
          if (heartbeatMs > 0) await new Promise<void>((heard) => this.clock.setTimer(heartbeatMs, heard));
          return this.#answer(`heartbeat ${token}`);
        },
      },
      workflows: workflowsOf({
        describe: async (executionArn) => {
          note(`describe ${executionArn}`);
          return { ...this.#execution(executionArn), input: {}, error: 'JobFailed' };
        },
        list: async () => {
          note('list');
          const executions = (await stores.runs.listRuns({})).map((run) => this.#execution(run.executionArn));
          return executions.filter(({ status }) => status === 'RUNNING');
        },
      }),
      events: { publish: async (events) => void this.published.push(...events) },
      notifier: { notify: async () => note('notify') },
    });
  }

  #execution(executionArn: string): ExecutionSummary {
    return {
      executionArn,
      machine: 'tenant-model-training',
      name: executionArn,
      status: this.status(executionArn),
      startDate: new Date(start).toISOString(),
      redriveCount: 0,
    };
  }

  #answer(call: string) {
    this.calls.push(call);
    return this.heard;
  }

  #observe(refs: readonly JobRef[]): ReadonlyMap<string, JobObservation> {
    this.observed.push(refs.length);
    if (this.observeFails(refs.map(({ jobName }) => jobName))) throw new Error('DescribeJobs failed');
    return new Map(
      refs.flatMap(({ jobName }) => {
        const state = this.state(jobName);
        return state ? [[jobName, { jobName, jobId: `id-${jobName}`, state }] as const] : [];
      }),
    );
  }

  /** Runs with one open attempt each. */
  async open(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const of = { runId: `r${n}`, tenantId: `t${n}`, executionArn: `arn:${n}` };
      const expiresAt = new Date(start + 60_000).toISOString();
      const now = new Date(start).toISOString();
      const { fence } = await this.ports.leases.acquire({
        tenantId: of.tenantId,
        holder: of.runId,
        now,
        expiresAt,
      });
      await this.ports.runs.createRun(aRun({ ...of, fence }));
      await this.ports.runs.createAttempt(
        anAttempt({ ...of, jobName: `job-${n}`, jobId: `id-job-${n}`, taskToken: `token-${n}`, fence }),
      );
    }
  }

  /** Invokes the reconciler. */
  async invoke(event: unknown = {}): Promise<Record<string, number>> {
    return (await reconcileJobs.withPorts(this.ports)(event, this.#context())) as Record<string, number>;
  }

  /** Enters a stage of the run that `aRun` makes; gives what the entry did. */
  async enter(
    taskToken: string,
    stage: StageName = 'prepare',
    { redriveCount = 0, retryCount = 0 }: { redriveCount?: number; retryCount?: number } = {},
  ): Promise<string> {
    const execution = { id: 'arn', redriveCount };
    const event = { runId: aRun().runId, stage, taskToken, retryCount, execution };
    const { outcome } = (await submitStage.withPorts(this.ports)(event, this.#context())) as {
      outcome: string;
    };
    return outcome;
  }

  #context(): Context {
    this.#invocations += 1;
    const end = this.clock.now() + this.remainingMs;
    return {
      awsRequestId: `request-${this.#invocations}`,
      getRemainingTimeInMillis: () => end - this.clock.now(),
    } as Context;
  }

  /** Lets time pass until an invocation is over. */
  async until<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const ended = work.finally(() => {
      over = true;
    });
    while (!over) {
      for (let turn = 0; turn < 50; turn += 1) await new Promise<void>((next) => setImmediate(next));
      const wait = this.clock.untilNext();
      if (wait !== undefined) await this.clock.advance(wait);
    }
    return ended;
  }

  called(word: string): string[] {
    return this.calls.filter((call) => call.startsWith(word));
  }
}
