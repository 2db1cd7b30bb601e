import { createKubernetesClient } from '../../lib/kubernetes/client.ts';
import { KubernetesJobRunner } from '../../lib/kubernetes/job-runner.ts';
import { type CallRecord, createTransport } from '../../lib/kubernetes/transport.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { SystemClock } from '../../lib/system/system-clock.ts';
import type { JobObservation, JobSpec } from '../../lib/training/attempts/job.ts';
import { type Does, ScriptedKubelet } from './kubelet.ts';
import { StandIn } from './stand-in/server.ts';

/** Where the tests' jobs run. */
export const deployment = {
  region: 'us-west-2',
  jobRoleArn: 'arn:aws:iam::123456789012:role/epsilon-dev-tenant-job',
};

/** A spec whose job does what its first argument says. */
export function specOf(does: Does, jobName: string, over: Partial<JobSpec> = {}): JobSpec {
  return {
    jobName,
    tenantId: 'acme',
    runId: 'acme-2026-11-24',
    logicalDate: '2026-11-24',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    stage: 'train',
    attempt: 1,
    image: `123456789012.dkr.ecr.us-west-2.amazonaws.com/epsilon/ml-engine@sha256:${'a'.repeat(64)}`,
    arguments: [does, '--tenant-id', 'acme'],
    environment: { EPSILON_RUN_ID: 'acme-2026-11-24', EPSILON_TRAINING_STAGE: 'train', EPSILON_ATTEMPT: '1' },
    outputUri: 's3://data/acme/runs/acme-2026-11-24/train/1/',
    resources: { cpu: 0.5, memoryMiB: 512 },
    capacity: 'spot',
    timeoutSeconds: 3600,
    priority: 50,
    ...over,
  };
}

/** A stand-in cluster with a scripted kubelet, and the runner over it. */
export interface Cluster {
  readonly server: StandIn;
  readonly kubelet: ScriptedKubelet;
  readonly runner: KubernetesJobRunner;
  /** What the runner sent. */
  readonly calls: CallRecord[];
  /** The observation once it fits; the runner is asked again and again. */
  observed(jobName: string, fits: (observation: JobObservation) => boolean): Promise<JobObservation>;
  ended(jobName: string): Promise<JobObservation>;
  close(): Promise<void>;
}

/** Whether a job is over. */
export const isOver = ({ state }: JobObservation) => state === 'succeeded' || state === 'failed';

/** Asks until the answer fits, for at most ten seconds. */
export async function eventually<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  what: string,
): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`not within ten seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Opens a cluster; `clock` is the runner's and the controller's. */
export async function openCluster({
  clock = new SystemClock(),
}: {
  readonly clock?: Clock;
} = {}): Promise<Cluster> {
  const server = new StandIn(clock);
  await server.listen();
  const calls: CallRecord[] = [];
  const waits = new SystemClock();
  const own = createTransport({
    access: server.access(),
    // Pauses between tries are not what these tests are about.
    clock: { now: () => clock.now(), setTimer: (_, callback) => waits.setTimer(0, callback) },
    random: () => 0,
    onCall: (call) => calls.push(call),
  });
  const others = createTransport({ access: server.access(), clock: waits, random: () => 0 });
  const kubelet = new ScriptedKubelet(others);
  kubelet.start();
  const runner = new KubernetesJobRunner({
    client: createKubernetesClient(own),
    deployment,
  });
  const observed: Cluster['observed'] = (jobName, fits) =>
    eventually(async () => {
      const observation = await runner.find(jobName);
      return observation && fits(observation) ? observation : undefined;
    }, jobName);
  return {
    server,
    kubelet,
    runner,
    calls,
    observed,
    ended: (jobName) => observed(jobName, isOver),
    close: async () => {
      server.fault = () => undefined;
      await Promise.all([kubelet.close(), server.watches.close('end')]);
      own.close();
      others.close();
      await server.close();
    },
  };
}
