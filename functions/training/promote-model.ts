import { z } from 'zod';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { detailTypes, eventDetail } from '../../lib/event-schemas/detail.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsEvents, awsObjects, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { writeFixedNames } from '../../lib/operations/models/fixed-names.ts';
import { candidateOf } from '../../lib/training/models/candidate.ts';

const input = z.object({ runId: z.string().min(1) });

const aws = [awsStores, awsObjects, awsEvents] as const;

/** Switches model and index of the tenant together, keeps the old pair for rollback, and refuses stale writers. */
export function createPromoteModel({ runs, models, objects, events, clock, config }: Wired<typeof aws>) {
  return async ({ runId }: z.output<typeof input>, { log }: Invocation) => {
    const run = await runs.getRun(runId);
    if (!run) throw new NotFound('RUN_NOT_FOUND', `There is no run "${runId}".`);
    noteTraceFields(run);
    const at = new Date(clock.now()).toISOString();
    const candidate = candidateOf(run, await runs.listAttempts(runId), at);
    await models.register(candidate);
    const live = await models.promote({
      tenantId: run.tenantId,
      modelVersion: candidate.modelVersion,
      fence: run.fence,
      at,
      reason: 'run',
    });
    await writeFixedNames(objects, config.dataBucket, live);
    await events.publish([
      {
        source: 'epsilon.training',
        detailType: detailTypes.modelPromoted,
        detail: eventDetail(run, {
          modelVersion: live.modelVersion,
          previousVersion: live.previousVersion ?? null,
          reason: 'run',
        }),
      },
    ]);
    log.info('model promoted', {
      runId,
      tenantId: run.tenantId,
      traceId: run.traceId,
      modelVersion: live.modelVersion,
    });
    const { modelVersion, modelUri, indexUri } = live;
    return { modelVersion, modelUri, indexUri, vectors: candidate.vectors, dimensions: candidate.dimensions };
  };
}

export const handler = defineHandler({
  name: 'promoteModel',
  input,
  aws,
  create: createPromoteModel,
});
