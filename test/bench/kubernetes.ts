import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { jobManifest } from '../../lib/kubernetes/job-manifest.ts';
import { SystemClock } from '../../lib/system/system-clock.ts';
import { deployment, openCluster, specOf } from '../kubernetes/harness.ts';
import { readManifests } from '../kubernetes/manifests.ts';
import { fieldOf } from '../kubernetes/stand-in/objects.ts';
import { StandIn } from '../kubernetes/stand-in/server.ts';
import { makeLease, startReplica, TestBus, type Told } from '../kubernetes/watching.ts';

const jobs = 5_000;

interface Message {
  readonly at: number;
  readonly told?: readonly Told[];
}

/** Jobs that the namespace's quota allows, all kept after their end, with the largest result a job can leave. */
const backlog = 30_000;
const largestResult = JSON.stringify({ text: 'x'.repeat(4_000) });

interface Usage {
  readonly rss: number;
  /** Highest ever. */
  readonly peak: number;
  readonly calls: number;
}

const iso = (ago = 0) => `${new Date(Date.now() - ago).toISOString().slice(0, 19)}Z`;

/** A running job and its pod, as large as the API server sends them. */
function addRunning(server: StandIn, name: string): void {
  const spec = specOf('waits', name);
  const environment = {
    ...spec.environment,
    EPSILON_INPUTS: JSON.stringify({ data: `s3://data/${'x'.repeat(200)}` }),
  };
  const job = JSON.parse(JSON.stringify(jobManifest({ ...spec, environment }, deployment)));
  const managedFields = [
    { manager: 'node', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:x': 'y'.repeat(2_000) } },
  ];
  server.store.create('jobs', {
    ...job,
    metadata: { ...job.metadata, managedFields },
    status: { startTime: iso(), active: 1, ready: 1 },
  });
  server.store.create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...job.spec.template.metadata,
      name: `${name}-pod`,
      managedFields,
      labels: { ...job.metadata.labels, 'batch.kubernetes.io/job-name': name },
    },
    spec: { ...job.spec.template.spec, nodeName: 'node-1' },
    status: {
      phase: 'Running',
      conditions: [],
      containerStatuses: [
        {
          name: 'job',
          image: 'x',
          imageID: 'x',
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: iso() } },
        },
      ],
    },
  });
}

/** Ends a job: the pod's last word, then the job's, as kubelet and job controller write them. */
function end(server: StandIn, name: string, { message = '{"words":100}', ago = 0 } = {}): void {
  const at = iso(ago);
  const terminated = { exitCode: 0, message, startedAt: at, finishedAt: at };
  const pod = server.store.get('pods', `${name}-pod`);
  const containerStatuses = [
    { name: 'job', image: 'x', imageID: 'x', ready: false, restartCount: 0, state: { terminated } },
  ];
  server.store.update('pods', { ...pod, status: { ...pod.status, phase: 'Succeeded', containerStatuses } });
  const job = server.store.get('jobs', name);
  const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime: at }];
  server.store.update('jobs', { ...job, status: { succeeded: 1, completionTime: at, conditions } });
}

function usage(child: ChildProcess): Promise<Usage> {
  return new Promise((resolve) => {
    const hear = (message: unknown) => {
      if (typeof message !== 'object' || message === null || !('rss' in message)) return;
      child.off('message', hear);
      resolve(message as Usage);
    };
    child.on('message', hear);
    child.send('usage');
  });
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function share(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Ends jobs `perSecond` at a time and measures from the job's last write to the bus's answer. */
async function latencies(
  server: StandIn,
  child: ChildProcess,
  { names, perSecond }: { readonly names: readonly string[]; readonly perSecond: number },
): Promise<Record<string, number>> {
  const endedAt = new Map<string, number>();
  const took: number[] = [];
  const hear = (message: Message) => {
    for (const { jobName: name, state } of message.told ?? []) {
      const began = endedAt.get(name);
      if (state === 'succeeded' && began !== undefined) took.push(message.at - began);
    }
  };
  child.on('message', hear);
  const slices = 10;
  const each = Math.max(1, Math.round(perSecond / slices));
  for (let at = 0; at < names.length; at += each) {
    for (const name of names.slice(at, at + each)) {
      end(server, name);
      endedAt.set(name, Date.now());
    }
    await sleep(1_000 / slices);
  }
  for (let waited = 0; took.length < names.length && waited < 200; waited += 1) await sleep(100);
  child.off('message', hear);
  const sorted = took.sort((a, b) => a - b);
  return {
    jobs: sorted.length,
    p50Milliseconds: share(sorted, 0.5),
    p95Milliseconds: share(sorted, 0.95),
    maxMilliseconds: sorted.at(-1) ?? 0,
  };
}

async function benchWatcher(): Promise<Record<string, unknown>> {
  const server = new StandIn(new SystemClock(), { controller: false });
  await server.listen();
  makeLease(server);
  const names = Array.from({ length: jobs }, (_, index) => `tenant-${index}-2026-11-24-train-1`);
  for (const name of names) addRunning(server, name);
  const { server: url } = await server.access().endpoint();
  const child = fork(join(import.meta.dirname, '../kubernetes/watcher-process.ts'), [url], {
    execArgv: nodeOptions(),
  });
  const idle = await usage(child);
  const seen = new Set<string>();
  const began = performance.now();
  const hear = (message: Message) => {
    for (const { jobName } of message.told ?? []) seen.add(jobName);
  };
  child.on('message', hear);
  while (seen.size < jobs) await sleep(50);
  child.off('message', hear);
  const listedMs = performance.now() - began;
  const loaded = await usage(child);
  const steady = await latencies(server, child, { names: names.slice(0, 1_000), perSecond: 50 });
  const burst = await latencies(server, child, { names: names.slice(1_000, 2_000), perSecond: 10_000 });
  const after = await usage(child);
  child.send('stop');
  await new Promise((resolve) => child.once('exit', resolve));
  await server.close();
  return {
    jobs,
    memoryMiB: {
      idle: idle.rss / 2 ** 20,
      watching: loaded.rss / 2 ** 20,
      afterTwoThousandEnds: after.rss / 2 ** 20,
      limit: 256,
    },
    fromStartUntilEveryRunningJobWasTold: { milliseconds: listedMs },
    latency: {
      ...steady,
      perSecond: 50,
      target: 'p95 <= 1000 ms',
      from: "the job's last status",
      to: 'accepted by the bus (20 ms a call)',
    },
    latencyWhenAThousandEndTogether: burst,
  };
}

/** A watcher that takes over while the namespace is full of jobs that ended an hour ago. */
async function benchBacklog(): Promise<Record<string, unknown>> {
  const server = new StandIn(new SystemClock(), { controller: false });
  await server.listen();
  makeLease(server);
  for (let index = 0; index < backlog; index += 1) {
    addRunning(server, `old-${index}`);
    end(server, `old-${index}`, { message: largestResult, ago: 3_600_000 });
  }
  addRunning(server, 'alive');
  const { server: url } = await server.access().endpoint();
  const began = performance.now();
  const child = fork(join(import.meta.dirname, '../kubernetes/watcher-process.ts'), [url], {
    execArgv: nodeOptions(),
  });
  const outcome = await new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(`died: ${signal ?? code}`));
    child.on('message', (message: Message) => {
      if (message.told?.some(({ jobName }) => jobName === 'alive')) resolve('tells of the one that is alive');
    });
  });
  const milliseconds = performance.now() - began;
  const dead = child.exitCode !== null || child.signalCode !== null;
  const peak = dead ? 0 : (await usage(child)).peak;
  if (!dead) {
    child.send('stop');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  await server.close();
  return { endedJobs: backlog, outcome, milliseconds, peakMiB: peak / 2 ** 20, limit: 256 };
}

/** Node's options of the deployed watcher: memory is measured under its own limits. */
function nodeOptions(): string[] {
  const deployment = readManifests().find(({ object: { kind } }) => kind === 'Deployment')?.object;
  const env = fieldOf(deployment, 'spec.template.spec.containers.0.env') as {
    name: string;
    value?: string;
  }[];
  return env.find(({ name }) => name === 'NODE_OPTIONS')?.value?.split(' ') ?? [];
}

/** Calls that a stage costs: those of the runner out, those of the watcher back. */
async function benchCalls(): Promise<Record<string, unknown>> {
  const cluster = await openCluster();
  makeLease(cluster.server);
  const bus = new TestBus();
  let putEvents = 0;
  const replica = startReplica(cluster.server, {
    bus: {
      publish: async (events) => {
        putEvents += 1;
        await bus.publish(events);
      },
    },
    clock: new SystemClock(),
  });
  const names = Array.from({ length: 50 }, (_, index) => `calls-${index}`);
  const refs = await Promise.all(names.map((name) => cluster.runner.submit(specOf('succeeds', name))));
  const submitCalls = cluster.calls.length;
  while (names.some((name) => bus.ends(name).length === 0)) await sleep(20);
  cluster.calls.length = 0;
  await cluster.runner.observe(refs);
  const observeCalls = cluster.calls.length;
  await replica.stop();
  await cluster.close();
  return {
    stages: names.length,
    out: {
      kubernetesPerStage: submitCalls / names.length,
      awsPerStage: 0,
      awsPerProcess: 'eks:DescribeCluster once; tokens are signed here',
    },
    back: {
      kubernetesPerStage: 0,
      putEventsPerStage: putEvents / names.length,
      eventsPerStage: bus.events.length / names.length,
    },
    reconcilerPass: {
      kubernetesCalls: observeCalls,
      attempts: names.length,
      note: 'two per hundred attempts at most',
    },
  };
}

/** Calls per stage on Kubernetes; memory and latency of the job watcher with five thousand jobs. */
export async function benchKubernetes(): Promise<Record<string, unknown>> {
  return { calls: await benchCalls(), watcher: await benchWatcher(), backlog: await benchBacklog() };
}
