import { z } from 'zod';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsBatch, awsCallbacks, awsKubernetes, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { enterStage, readEntry } from '../../lib/operations/attempts/submit-attempt.ts';
import { stageNames } from '../../lib/training/stages.ts';

const input = z.object({
  runId: z.string().min(1),
  stage: z.enum(stageNames),
  taskToken: z.string().min(1).max(2048),
  execution: z.object({ id: z.string().min(1), redriveCount: z.int().min(0) }),
});

type Event = z.output<typeof input>;

const aws = [awsStores, awsBatch, awsKubernetes, awsCallbacks] as const;

/** Submits the stage's job under its intent, or adopts or settles what an earlier entry left, and returns at once. */
export function createSubmitStage(ports: Wired<typeof aws>) {
  return async ({ runId, stage, taskToken, execution }: Event, { log }: Invocation) => {
    const { run, attempts } = await readEntry(ports, runId);
    noteTraceFields(run);
    const { redriveCount } = execution;
    const outcome = await enterStage(ports, { run, attempts, stage, taskToken, redriveCount });
    const { tenantId, traceId } = run;
    log.info('stage entered', { runId, tenantId, stage, traceId, outcome });
    return { outcome };
  };
}

export const handler = defineHandler({
  name: 'submitStage',
  input,
  aws,
  create: createSubmitStage,
});
