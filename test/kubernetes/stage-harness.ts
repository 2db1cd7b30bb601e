import { mkdirSync, readFileSync } from 'node:fs';
import type { Context } from 'aws-lambda';
import { parse } from 'yaml';
import { handler as completeJob } from '../../functions/training/complete-job.ts';
import { handler as reconcileJobs } from '../../functions/training/reconcile-jobs.ts';
import { handler as settleRun } from '../../functions/training/settle-run.ts';
import { handler as submitStage } from '../../functions/training/submit-stage.ts';
import { handler as vacateInstance } from '../../functions/training/vacate-instance.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { EpsilonHandler } from '../../lib/handler/define-handler.ts';
import type { OutgoingEvent } from '../../lib/ports/event-publisher.ts';
import type { Attempt } from '../../lib/training/run.ts';
import { openLocalStores } from '../../local/stores/local-stores.ts';
import { testPorts, workflowsOf } from '../fixtures/ports.ts';
import { aRun, aTenant } from '../fixtures/records.ts';
import { freshDir } from '../fresh-dir.ts';
import { type Cluster, openCluster } from './harness.ts';
import type { Does } from './kubelet.ts';
import { ScaledClock } from './scaled-clock.ts';
import { makeLease, type Replica, startReplica } from './watching.ts';

const runId = 'acme-2026-11-24';
const executionArn =
  'arn:aws:states:us-west-2:123456789012:execution:epsilon-dev-tenant-model-training:acme-2026-11-24';

/** What a task was told, by token. */
export interface Answer {
  readonly token: string;
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

/** One tenant's run whose stages are jobs of the stand-in: the real handlers, stores of this machine, the real watcher. */
export interface StageWorld {
  readonly cluster: Cluster;
  readonly clock: ScaledClock;
  readonly answers: Answer[];
  readonly heartbeats: string[];
  /** Decides what the next jobs do. */
  does: Does;
  enter(token: string, stage?: 'prepare' | 'train'): Promise<unknown>;
  complete(event: OutgoingEvent): Promise<unknown>;
  reconcile(): Promise<unknown>;
  abort(): Promise<unknown>;
  vacate(instanceId: string): Promise<unknown>;
  attempts(): Promise<Attempt[]>;
  watch(): Replica;
  close(): Promise<void>;
}

const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 30_000 } as Context;

async function openPorts(
  cluster: Cluster,
  clock: ScaledClock,
  world: { answers: Answer[]; heartbeats: string[] },
) {
  const stateDir = freshDir();
  mkdirSync(stateDir, { recursive: true });
  const stores = openLocalStores({ stateDir });
  const base = loadConfig({ file: parse(readFileSync('infra/config/local.yml', 'utf8')), variables: {} });
  const ports = testPorts({
    ...stores,
    config: { ...base, training: { ...base.training, lookupGraceSeconds: 0 } },
    clock,
    random: Math.random,
    jobs: { eks: cluster.runner, batch: undefined },
    callbacks: {
      succeed: async (token, output) => {
        world.answers.push({ token, output });
        return 'delivered';
      },
      fail: async (token, failure) => {
        world.answers.push({ token, ...failure });
        return 'delivered';
      },
      heartbeat: async (token) => {
        world.heartbeats.push(token);
        return 'delivered';
      },
    },
    workflows: workflowsOf({
      describe: async () => ({
        executionArn,
        machine: 'tenant-model-training',
        name: runId,
        status: 'RUNNING',
        startDate: new Date(clock.now()).toISOString(),
        redriveCount: 0,
        input: {},
      }),
    }),
  });
  const run = aRun({ runId, executionArn, backend: 'eks' });
  await stores.tenants.put(aTenant({ backend: 'eks', documentsUri: 's3://data/acme/' }), 0);
  const now = new Date(clock.now());
  const { fence } = await stores.leases.acquire({
    tenantId: run.tenantId,
    holder: runId,
    now: now.toISOString(),
    expiresAt: new Date(now.getTime() + 900_000).toISOString(),
  });
  await stores.runs.createRun({ ...run, fence, images: imagesOf() });
  return { ports, stores };
}

function imagesOf() {
  const digest = `@sha256:${'a'.repeat(64)}`;
  return {
    'data-pipeline': `data-pipeline${digest}`,
    'ml-engine': `ml-engine${digest}`,
    deployer: `deployer${digest}`,
  };
}

/** Opens it; jobs do what `does` says when they are submitted. */
export async function openStage(): Promise<StageWorld> {
  const clock = new ScaledClock(20);
  const cluster = await openCluster({ clock });
  makeLease(cluster.server);
  const record = { answers: [] as Answer[], heartbeats: [] as string[] };
  const { ports, stores } = await openPorts(cluster, clock, record);
  const replicas: Replica[] = [];
  const call = (handler: EpsilonHandler) => {
    const bound = handler.withPorts(ports);
    return (event: unknown) => bound(event, context);
  };
  const complete = call(completeJob);
  const enter = call(submitStage);
  const world: StageWorld = {
    cluster,
    clock,
    ...record,
    does: 'succeeds',
    enter: (taskToken, stage = 'prepare') =>
      enter({ runId, stage, taskToken, retryCount: 0, execution: { id: executionArn, redriveCount: 0 } }),
    complete: ({ source, detailType, detail }) => complete({ source, 'detail-type': detailType, detail }),
    reconcile: () => call(reconcileJobs)({ shard: 0 }),
    abort: () =>
      call(settleRun)({
        source: 'aws.states',
        'detail-type': 'Step Functions Execution Status Change',
        detail: { executionArn, name: runId, status: 'ABORTED', redriveCount: 0 },
      }),
    vacate: (instanceId) =>
      call(vacateInstance)({
        source: 'aws.ec2',
        'detail-type': 'EC2 Spot Instance Interruption Warning',
        detail: { 'instance-id': instanceId, 'instance-action': 'terminate' },
      }),
    attempts: () => stores.runs.listAttempts(runId),
    watch: () => {
      const bus = {
        publish: async (events: readonly OutgoingEvent[]) =>
          void (await Promise.all(events.map(world.complete))),
      };
      const replica = startReplica(cluster.server, { bus, clock });
      replicas.push(replica);
      return replica;
    },
    close: async () => {
      cluster.server.fault = () => undefined;
      await Promise.all(replicas.map((replica) => replica.stop()));
      await cluster.close();
      stores.close();
    },
  };
  cluster.kubelet.script = () => world.does;
  return world;
}
