import { z } from 'zod';
import { measuredSeconds } from '../../lib/capacity/durations.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { detailTypes, eventDetail } from '../../lib/event-schemas/detail.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsEvents, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';
import { leaseOfTry, runIsOver } from '../../lib/operations/attempts/hold-lease.ts';
import { isoNow } from '../../lib/ports/clock.ts';
import { traceparentOfRun } from '../../lib/tracing/ids.ts';
import type { Run } from '../../lib/training/run.ts';

const input = z.object({
  runId: z.string().min(1),
  execution: z.object({ redriveCount: z.int().min(0) }),
  model: z.object({
    modelVersion: z.string(),
    modelUri: z.string(),
    indexUri: z.string(),
    vectors: z.int(),
    dimensions: z.int(),
  }),
});

const aws = [awsStores, awsEvents] as const;

/** Records the success, gives the lease back and says so on the bus. Safe to repeat. */
export function createFinishRun(ports: Wired<typeof aws>) {
  const { runs, leases, events, clock, metrics } = ports;

  /** The run as it is once it has succeeded, by this call or an earlier one. */
  async function succeed(found: Run, redriveCount: number): Promise<Run> {
    if (found.status === 'succeeded') return found;
    const run = await leaseOfTry(ports, found, redriveCount);
    if (!run) {
      // A call of an earlier try may have recorded the success meanwhile.
      const current = await runs.getRun(found.runId);
      if (current?.status === 'succeeded') return current;
      throw runIsOver(found);
    }
    const stageSeconds = measuredSeconds(await runs.listAttempts(run.runId));
    const done = await runs.updateRun(
      run.runId,
      {
        status: 'succeeded',
        finishedAt: isoNow(clock),
        ...(stageSeconds === undefined ? {} : { stageSeconds }),
      },
      { status: ['running'], maxRedriveCount: redriveCount },
    );
    metrics.count('RunsSucceeded', 1);
    return done;
  }

  return async ({ runId, execution, model }: z.output<typeof input>) => {
    const found = await runs.getRun(runId);
    if (!found) throw new NotFound('RUN_NOT_FOUND', `There is no run "${runId}".`);
    noteTraceFields(found);
    const run = await succeed(found, execution.redriveCount);
    await leases.release({ tenantId: run.tenantId, holder: runId, fence: run.fence });
    await events.publish([
      {
        source: 'epsilon.training',
        detailType: detailTypes.runStateChange,
        detail: eventDetail(
          { ...run, traceparent: traceparentOfRun(run) },
          { status: 'succeeded', modelVersion: model.modelVersion },
        ),
      },
    ]);
    return { outcome: 'succeeded', tenantId: run.tenantId, runId, logicalDate: run.logicalDate, ...model };
  };
}

export const handler = defineHandler({
  name: 'finishRun',
  input,
  aws,
  create: createFinishRun,
});
