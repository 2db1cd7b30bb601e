import { z } from 'zod';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { noteTraceFields } from '../../lib/events/trace-fields.ts';
import { awsBatch, awsCallbacks, awsKubernetes, awsStores } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { enterStage } from '../../lib/operations/submit-attempt.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { Run } from '../../lib/training/run.ts';
import { stageNames } from '../../lib/training/stages.ts';

const input = z.object({
  runId: z.string().min(1),
  stage: z.enum(stageNames),
  taskToken: z.string().min(1).max(2048),
  execution: z.object({ id: z.string().min(1), redriveCount: z.int().min(0) }),
});

type Event = z.output<typeof input>;

/** Submits the stage's job under its intent, or adopts or settles what an earlier entry left, and returns at once. */
export function createSubmitStage(ports: Ports) {
  const { runs, leases, clock, config } = ports;

  const leaseEnd = () => new Date(clock.now() + config.training.leaseSeconds * 1000).toISOString();

  /** After a redrive the lease is taken again with a new, larger fence; otherwise it is only kept alive. */
  async function holdLease(run: Run, event: Event): Promise<Run> {
    const { tenantId, runId, fence } = run;
    const sameTry = run.status === 'running' && run.redriveCount === event.execution.redriveCount;
    const held = sameTry ? await leases.get(tenantId) : undefined;
    const now = new Date(clock.now()).toISOString();
    if (held?.holder === runId && held.fence === fence && held.expiresAt > now) {
      await leases.renew({ tenantId, holder: runId, fence, expiresAt: leaseEnd() });
      return run;
    }
    const lease = await leases.acquire({ tenantId, holder: runId, now, expiresAt: leaseEnd() });
    return runs.updateRun(
      runId,
      { status: 'running', fence: lease.fence, redriveCount: event.execution.redriveCount },
      { maxRedriveCount: event.execution.redriveCount },
    );
  }

  return async (event: Event, { log }: Invocation) => {
    const run = await runs.getRun(event.runId);
    if (!run) throw new NotFound('RUN_NOT_FOUND', `There is no run "${event.runId}".`);
    noteTraceFields(run);
    const outcome = await enterStage(ports, {
      run: await holdLease(run, event),
      stage: event.stage,
      taskToken: event.taskToken,
    });
    log.info('stage entered', {
      runId: run.runId,
      tenantId: run.tenantId,
      stage: event.stage,
      traceId: run.traceId,
      outcome,
    });
    return { outcome };
  };
}

export const handler = defineHandler({
  name: 'submitStage',
  input,
  aws: [awsStores, awsBatch, awsKubernetes, awsCallbacks],
  create: createSubmitStage,
});
