import { z } from 'zod';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsEvents, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { leaseOfTry, runIsOver, underOwnLease } from '../../lib/operations/attempts/hold-lease.ts';
import { requireCurrent } from '../../lib/operations/backup/require-current.ts';
import { promoteCandidate } from '../../lib/operations/models/promote-model.ts';

const input = z.object({
  runId: z.string().min(1),
  execution: z.object({ redriveCount: z.int().min(0) }),
});

const aws = [awsStores, awsEvents] as const;

/**
 * Switches model and index of the tenant together by one write of the live record, keeps the old pair for rollback, and refuses
 * stale writers. Nothing that takes long or may fail comes after: the fixed names follow the event (alignFixedNames).
 */
export function createPromoteModel(ports: Wired<typeof aws>) {
  return async ({ runId, execution }: z.output<typeof input>, { log }: Invocation) => {
    await requireCurrent(ports);
    const found = await ports.runs.getRun(runId);
    if (!found) throw new NotFound('RUN_NOT_FOUND', `There is no run "${runId}".`);
    noteTraceFields(found);
    const { redriveCount } = execution;
    const run = await leaseOfTry(ports, found, redriveCount);
    if (!run) throw runIsOver(found);
    const attempts = await ports.runs.listAttempts(runId);
    const { live, candidate } = await underOwnLease(ports, run, redriveCount, (held) =>
      promoteCandidate(ports, held, attempts),
    );
    const { modelVersion, modelUri, indexUri } = live;
    log.info('model promoted', { runId, tenantId: run.tenantId, traceId: run.traceId, modelVersion });
    return { modelVersion, modelUri, indexUri, vectors: candidate.vectors, dimensions: candidate.dimensions };
  };
}

export const handler = defineHandler({
  name: 'promoteModel',
  input,
  aws,
  create: createPromoteModel,
});
