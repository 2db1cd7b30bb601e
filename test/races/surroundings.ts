import { handler as alignFixedNames } from '../../functions/training/align-fixed-names.ts';
import { handler as beginRun } from '../../functions/training/begin-run.ts';
import { handler as completeJob } from '../../functions/training/complete-job.ts';
import { handler as finishRun } from '../../functions/training/finish-run.ts';
import { handler as promoteModel } from '../../functions/training/promote-model.ts';
import { handler as reconcileJobs } from '../../functions/training/reconcile-jobs.ts';
import { handler as settleRun } from '../../functions/training/settle-run.ts';
import { handler as submitStage } from '../../functions/training/submit-stage.ts';
import { detailTypes, eventDetail } from '../../lib/event-schemas/detail.ts';
import type { EpsilonHandler } from '../../lib/handler/define-handler.ts';
import { aRun } from '../fixtures/records.ts';
import { isLive, type WorldJob } from './backend.ts';
import { heartbeatMs, type Machine, type MachineEvents } from './machine.ts';
import { portsOf } from './ports.ts';
import type { MoveKind } from './scenario.ts';
import { graceMs, shardOf } from './settings.ts';
import type { Trial } from './trial.ts';

/** An event under way: it may come late, more than once, or never. */
export interface Delivery {
  readonly what:
    | { readonly kind: 'job'; readonly job: WorldJob }
    | {
        readonly kind: 'execution';
        readonly arn: string;
        readonly name: string;
        readonly status: string;
        readonly redriveCount: number;
        readonly error: string;
      }
    | { readonly kind: 'promoted'; readonly tenantId: string }
    | { readonly kind: 'foreign'; readonly event: object };
  times: number;
}

/** Lets an actor that is a handler begin when it is picked. */
function invoke(trial: Trial, kind: string, handler: EpsilonHandler, event: unknown): void {
  trial.spawn(kind, (actor, context) => handler.withPorts(portsOf(trial, actor))(event, context));
}

const model = { modelVersion: aRun().modelVersion, modelUri: 'm', indexUri: 'i', vectors: 1, dimensions: 1 };

/** What a state's function is invoked with. */
function invocationOf(machine: Machine, token: string | undefined): [kind: string, EpsilonHandler, unknown] {
  const { runId, tenantId, arn, redriveCount, retryCount, state } = machine;
  const execution = { id: arn, name: runId, redriveCount };
  if (state === 'begin')
    return ['Begin', beginRun, { input: { tenantId, logicalDate: '2026-11-24' }, execution }];
  if (state === 'prepare')
    return ['Entry', submitStage, { runId, stage: 'prepare', taskToken: token, retryCount, execution }];
  if (state === 'profile') {
    const job = {
      runId,
      owner: tenantId,
      backend: aRun().backend,
      tenants: [tenantId],
      image: 'reader@sha256:0',
    };
    return ['Entry', submitStage, { runId, stage: 'profile', taskToken: token, retryCount, execution, job }];
  }
  if (state === 'promote') return ['Promotion', promoteModel, { runId, execution }];
  return ['Finish', finishRun, { runId, execution, model }];
}

/** Invokes the functions that a machine's states name, and tells what became of its execution. */
export function machineEvents(trial: Trial): MachineEvents {
  return {
    entered: (machine, visit, token) => {
      const [kind, handler, event] = invocationOf(machine, token);
      machine.worker = trial.spawn(
        kind,
        (actor, context) => handler.withPorts(portsOf(trial, actor))(event, context),
        {
          reports: true,
          ended: (ending) => machine.invoked(visit, ending),
        },
      );
      machine.worker.redriveCount = machine.redriveCount;
    },
    ended: ({ arn, runId: name, status, redriveCount }, error) =>
      trial.deliver({ kind: 'execution', arn, name, status, redriveCount, error }),
  };
}

/** An event as it is put on the bus. */
export interface BusEvent {
  readonly detailType: string;
  readonly detail: { readonly tenantId: string };
}

/** What was put on the bus: promotions are heard by whoever aligns fixed names, where there are any. */
export function published(trial: Trial, events: readonly BusEvent[]): void {
  for (const { detailType, detail } of events)
    if (detailType === detailTypes.modelPromoted && trial.objects.size > 0)
      trial.deliver({ kind: 'promoted', tenantId: detail.tenantId });
}

/** Lets a pass begin over the shard that looks after the run that is explored. */
export const pass = (trial: Trial): void => passOver(trial, aRun().runId);

/**
 * Lets a pass of the reconciler begin when it is picked, over the shard of a run or tenant; what was closed before is noted for
 * the end of the pass.
 */
export function passOver(trial: Trial, name: string): void {
  const actor = trial.spawn(
    'Pass',
    (self, context) => {
      trial.passBegins(self);
      return reconcileJobs.withPorts(portsOf(trial, self))({ shard: shardOf(name) }, context);
    },
    { ended: (ending) => trial.passEnded(actor, ending) },
  );
}

/** Invokes who hears of an event. */
export function invokeFor(trial: Trial, { what }: Pick<Delivery, 'what'>): void {
  if (what.kind === 'foreign') {
    invoke(trial, 'Completion', completeJob, what.event);
    return;
  }
  if (what.kind === 'promoted') {
    const about = { ...aRun(), tenantId: what.tenantId };
    invoke(trial, 'Align', alignFixedNames, {
      source: 'epsilon.training',
      'detail-type': detailTypes.modelPromoted,
      detail: eventDetail(about, {}),
    });
    return;
  }
  if (what.kind === 'execution') {
    const { arn: executionArn, ...rest } = what;
    const detail = { executionArn, ...rest };
    invoke(trial, 'Settle', settleRun, {
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      detail,
    });
    return;
  }
  const { name: jobName, id: jobId, state, reason } = what.job;
  const [, runId = '', stage, attempt] = /^(.+)-([a-z]+)-(\d+)$/.exec(jobName) ?? [];
  const data = { stage, attempt: Number(attempt), jobName, jobId, state, ...(reason ? { reason } : {}) };
  const { tenantId, logicalDate, traceId } = aRun();
  const detail = eventDetail({ tenantId, runId, logicalDate, traceId }, data);
  invoke(trial, 'Completion', completeJob, {
    source: 'epsilon.jobs',
    'detail-type': detailTypes.jobStateChange,
    detail,
  });
}

interface Move {
  readonly key: string;
  make(): void;
}

/** Moves of jobs and lists. */
function jobMoves(trial: Trial): Move[] {
  const { backend, scenario } = trial;
  const ends = scenario.ends ?? [];
  return backend.jobs.filter(isLive).flatMap((job): Move[] => {
    if (job.state === 'pending')
      return ends.length === 0 ? [] : [{ key: `${job.id} starts`, make: () => backend.to(job, 'running') }];
    return ends.map((reason) => ({
      key: `${job.id} ends: ${reason}`,
      make: () => backend.to(job, reason === 'completed' ? 'succeeded' : 'failed', reason),
    }));
  });
}

/** Everything the surroundings may do now. */
export function movesOf(trial: Trial): Move[] {
  const { backend, machines, scenario, stores } = trial;
  const left = (kind: MoveKind) => (scenario.limits[kind] ?? 0) > (trial.spent.get(kind) ?? 0);
  const idle = trial.running.length === 0;
  const moves: Move[] = jobMoves(trial);
  const move = (kind: MoveKind, key: string, make: () => void) => {
    const spend = () => {
      trial.spent.set(kind, (trial.spent.get(kind) ?? 0) + 1);
      make();
    };
    moves.push({ key, make: spend });
  };
  if (backend.jobs.some(({ listed }) => !listed))
    moves.push({ key: 'lists catch up', make: () => backend.catchUp() });
  // It goes on lagging: behind what is written from now on.
  const { index } = stores;
  const catchUp = () => {
    index?.catchUp();
    index?.lag();
  };
  if (index?.lags()) moves.push({ key: 'index catches up', make: catchUp });
  trial.deliveries.forEach((delivery, at) => {
    const kind = delivery.times === 0 ? 'event' : 'event again';
    if (left(kind))
      move(kind, `event ${at + 1} comes${delivery.times === 0 ? '' : ' again'}`, () => {
        delivery.times += 1;
        invokeFor(trial, delivery);
      });
  });
  // An invocation is over, or dead, long before so much time has passed.
  if (idle && left('time')) move('time', 'time passes', () => trial.pass(graceMs));
  // Unless somebody is slow beyond all limits.
  if (left('slow')) move('slow', 'a minute passes', () => trial.pass(60_000));
  for (const machine of machines) {
    const { runId, status, token, worker } = machine;
    // Its caller has no answer and asks again, while the first invocation goes on.
    if (status === 'RUNNING' && worker?.state === 'running' && left('given up'))
      move('given up', `${worker.name} is given up`, () => machine.fail('Lambda.Unknown'));
    if (status === 'RUNNING' && left('stop')) move('stop', `operator stops ${runId}`, () => machine.stop());
    if ((status === 'FAILED' || status === 'ABORTED') && left('redrive'))
      move('redrive', `operator redrives ${runId}`, () => machine.redrive());
    if (idle && token !== undefined && left('missed heartbeat'))
      move('missed heartbeat', `${runId} hears nothing`, () => {
        trial.pass(Math.max(0, machine.heardAt + heartbeatMs - trial.now()));
        machine.fail('States.HeartbeatTimeout');
      });
  }
  return moves;
}
