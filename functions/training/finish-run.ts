import { z } from 'zod';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { detailTypes, eventDetail } from '../../lib/event-schemas/detail.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsEvents, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';

const input = z.object({
  runId: z.string().min(1),
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
export function createFinishRun({ runs, leases, events, clock, metrics }: Wired<typeof aws>) {
  return async ({ runId, model }: z.output<typeof input>) => {
    const run = await runs.getRun(runId);
    if (!run) throw new NotFound('RUN_NOT_FOUND', `There is no run "${runId}".`);
    noteTraceFields(run);
    if (run.status !== 'succeeded') {
      await runs.updateRun(
        runId,
        { status: 'succeeded', finishedAt: new Date(clock.now()).toISOString() },
        { status: ['running'] },
      );
      metrics.count('RunsSucceeded', 1);
    }
    await leases.release({ tenantId: run.tenantId, holder: runId, fence: run.fence });
    await events.publish([
      {
        source: 'epsilon.training',
        detailType: detailTypes.runStateChange,
        detail: eventDetail(run, { status: 'succeeded', modelVersion: model.modelVersion }),
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
