import { handler as completeJob } from '../../functions/training/complete-job.ts';
import { handler as reconcileJobs } from '../../functions/training/reconcile-jobs.ts';
import { handler as submitStage } from '../../functions/training/submit-stage.ts';
import { detailTypes, eventDetail } from '../../lib/event-schemas/detail.ts';
import type { JobRunner } from '../../lib/ports/job-runner.ts';
import type { Backend } from '../../lib/tenants/tenant.ts';
import { jobNameOf } from '../../lib/training/attempts/job-name.ts';
import { imageNames, type StageName } from '../../lib/training/stages.ts';
import { aRun } from '../fixtures/records.ts';
import { AwsPlane, imageOf, type SubmittedJob } from './aws-plane.ts';
import { benchTransitions } from './transitions.ts';

const stagesInOrder: readonly StageName[] = ['prepare', 'train', 'index'];

/** A run whose lease is held and whose first stage may begin. */
async function beginRun(plane: AwsPlane, runId: string, backend: Backend): Promise<void> {
  const { leases, runs } = await plane.ports;
  const tenantId = `t-${runId}`;
  const at = (ms: number) => new Date(plane.clock.now() + ms).toISOString();
  const { fence } = await leases.acquire({ tenantId, holder: runId, now: at(0), expiresAt: at(900_000) });
  const images = Object.fromEntries(imageNames.map((name) => [name, imageOf(name)])) as never;
  await runs.createRun(aRun({ runId, tenantId, backend, fence, images, startedAt: at(0) }));
}

/** Stages that one process submits a second; the budget of calls to Batch is taken in chunks that depend on it. */
const submissionsPerSecond = 5;

async function enter(plane: AwsPlane, runId: string, stage: StageName): Promise<readonly string[]> {
  await plane.clock.advance(1_000 / submissionsPerSecond);
  const taskToken = `token-${runId}-${stage}`;
  const execution = { id: 'arn', redriveCount: 0 };
  return plane.invoke(submitStage, { runId, stage, taskToken, retryCount: 0, execution });
}

/** What Batch says when a job is over. */
const batchEvent = (plane: AwsPlane, job: SubmittedJob | undefined) => ({
  source: 'aws.batch',
  'detail-type': 'Batch Job State Change',
  detail: {
    ...job,
    status: 'SUCCEEDED',
    startedAt: plane.clock.now(),
    stoppedAt: plane.clock.now(),
    container: { exitCode: 0, environment: job?.container.environment },
  },
});

/** What the watcher in the cluster says when a job is over. */
const clusterEvent = (runId: string, stage: StageName) => {
  const tenantId = `t-${runId}`;
  const jobName = jobNameOf({ tenantId, runId, stage, attempt: 1 }, 'eks');
  const about = { tenantId, runId, logicalDate: '2026-11-24', traceId: '0'.repeat(32) };
  const observed = { state: 'succeeded', reason: 'completed', exitCode: 0, result: {} };
  return {
    source: 'epsilon.jobs',
    'detail-type': detailTypes.jobStateChange,
    detail: eventDetail(about, { stage, attempt: 1, jobName, jobId: 'uid', ...observed }),
  };
};

interface StageCalls {
  readonly out: readonly string[];
  readonly back: readonly string[];
}

/** The calls of each stage of one run, out and back. */
async function callsOf(plane: AwsPlane, runId: string, backend: Backend): Promise<StageCalls[]> {
  await beginRun(plane, runId, backend);
  const calls: StageCalls[] = [];
  for (const stage of stagesInOrder) {
    const out = await enter(plane, runId, stage);
    const event = backend === 'batch' ? batchEvent(plane, plane.jobs.at(-1)) : clusterEvent(runId, stage);
    calls.push({ out, back: await plane.invoke(completeJob, event) });
  }
  return calls;
}

/** Stands for the Kubernetes API: one call makes the Job. */
function clusterRunner(note: (request: string) => void): JobRunner {
  return {
    backend: 'eks',
    namesAreIds: true,
    submit: async ({ jobName }) => {
      note('kubernetes:create jobs');
      return { jobName, jobId: jobName };
    },
    find: async () => undefined,
    observe: async () => new Map(),
    cancel: async () => {},
  };
}

const most = (lists: readonly (readonly string[])[]) =>
  lists.reduce((longest, list) => (list.length > longest.length ? list : longest), []);

async function callsPerStage(): Promise<Record<string, unknown>> {
  const figures: Record<string, unknown> = { target: '<= 3 out, <= 3 back' };
  for (const backend of ['batch', 'eks'] as const) {
    const plane = new AwsPlane((own) => clusterRunner((request) => own.note(request)));
    const first = await callsOf(plane, 'first', backend);
    const steady: StageCalls[] = [];
    const runs = 20;
    for (let run = 0; run < runs; run += 1) steady.push(...(await callsOf(plane, `run-${run}`, backend)));
    const mean = (side: keyof StageCalls) =>
      steady.reduce((sum, calls) => sum + calls[side].length, 0) / steady.length;
    figures[backend] = {
      runner:
        backend === 'batch'
          ? 'the Batch runner'
          : 'a double of the Kubernetes runner (one call per submission)',
      stages: steady.length,
      out: mean('out'),
      back: mean('back'),
      submissionsPerSecond,
      most: { out: most(steady.map(({ out }) => out)), back: most(steady.map(({ back }) => back)) },
      firstOfProcess: first[0],
    };
  }
  return figures;
}

/** One pass over many running Batch jobs. */
async function reconciler(open: number): Promise<Record<string, unknown>> {
  const plane = new AwsPlane();
  for (let run = 0; run < open; run += 1) {
    await beginRun(plane, `run-${run}`, 'batch');
    await enter(plane, `run-${run}`, 'prepare');
  }
  await plane.clock.advance(300_000);
  const began = performance.now();
  const calls = await plane.invoke(reconcileJobs, {});
  const milliseconds = performance.now() - began;
  const count = (part: string) => calls.filter((call) => call.includes(part)).length;
  return {
    openAttempts: open,
    describeCallsPer100: (count('describejobs') / open) * 100,
    target: '<= 1',
    calls: calls.length,
    callsPerAttempt: calls.length / open,
    heartbeats: count('SendTaskHeartbeat'),
    itemWrites: count('UpdateItem'),
    describedExecutions: count('DescribeExecution'),
    millisecondsWithoutNetwork: milliseconds,
  };
}

/** What the control plane costs on AWS, counted: calls per stage, calls per pass, billed transitions beside polling. */
export async function benchAws(): Promise<Record<string, unknown>> {
  return {
    callsPerStage: await callsPerStage(),
    reconciler: [await reconciler(100), await reconciler(1_000)],
    transitions: await benchTransitions(),
  };
}
