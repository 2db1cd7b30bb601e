import { z } from 'zod';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsBatch, awsCallbacks, awsKubernetes, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { openAttempt } from '../../lib/operations/attempts/open-attempt.ts';
import { enterStage, readEntry } from '../../lib/operations/attempts/submit-attempt.ts';
import { isDrivenByAirflow } from '../../lib/training/airflow-run.ts';
import type { Run } from '../../lib/training/run.ts';
import { stageNames } from '../../lib/training/stages.ts';

const input = z
  .object({
    runId: z.string().min(1),
    stage: z.enum(stageNames),
    taskToken: z.string().min(1).max(2048),
    execution: z.object({ id: z.string().min(1), redriveCount: z.int().min(0) }),
    /** Of the state; Airflow has no such order. */
    retryCount: z.int().min(0).optional(),
    /** Airflow starts the pod itself: an attempt is opened, and nothing submitted. */
    startedBy: z.literal('airflow').optional(),
  })
  .refine(({ startedBy, retryCount }) => startedBy === 'airflow' || retryCount !== undefined, {
    path: ['retryCount'],
    message: 'a state machine has to pass the retry count of its state',
  });

type Event = z.output<typeof input>;

/** A run goes on under the scheduler that it began under. */
function drivenByAnother({ runId, executionArn }: Run): EpsilonError {
  return new EpsilonError(
    'SCHEDULED_ELSEWHERE',
    `Run ${runId} belongs to ${executionArn}; no other scheduler may enter its stages.`,
    { exitCode: exitCodes.conflict },
  );
}

const aws = [awsStores, awsBatch, awsKubernetes, awsCallbacks] as const;

/** Submits the stage's job under its intent, or adopts or settles what an earlier entry left, and returns at once. */
export function createSubmitStage(ports: Wired<typeof aws>) {
  return async (event: Event, { log }: Invocation) => {
    const { runId, stage, taskToken, execution, startedBy, retryCount = 0 } = event;
    const { run, attempts } = await readEntry(ports, runId);
    noteTraceFields(run);
    const { redriveCount } = execution;
    const entry = { run, attempts, stage, taskToken, redriveCount, retryCount };
    if ((startedBy === 'airflow') !== isDrivenByAirflow(run)) throw drivenByAnother(run);
    if (startedBy === 'airflow') return openAttempt(ports, entry);
    const outcome = await enterStage(ports, entry);
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
