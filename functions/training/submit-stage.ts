import { z } from 'zod';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsBatch, awsCallbacks, awsKubernetes, awsStores, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { openAttempt } from '../../lib/operations/attempts/open-attempt.ts';
import { enterStage, readEntry } from '../../lib/operations/attempts/submit-attempt.ts';
import { requireCurrent } from '../../lib/operations/backup/require-current.ts';
import { enterProfile } from '../../lib/operations/quality/enter-profile.ts';
import { profileJobSchema } from '../../lib/quality/datasets/jobs.ts';
import { isDrivenByAirflow } from '../../lib/training/airflow-run.ts';
import type { Run } from '../../lib/training/run.ts';
import { stageNames } from '../../lib/training/stages.ts';

const entered = {
  runId: z.string().min(1),
  taskToken: z.string().min(1).max(2048),
  execution: z.object({ id: z.string().min(1), redriveCount: z.int().min(0) }),
  /** Of the state; Airflow has no such order. */
  retryCount: z.int().min(0).optional(),
};

/** A state that looks at datasets: there is no run. */
const profile = z.object({ ...entered, stage: z.literal('profile'), job: profileJobSchema });

const training = z
  .object({
    ...entered,
    stage: z.enum(stageNames),
    /** Airflow starts the pod itself: an attempt is opened, and nothing submitted. */
    startedBy: z.literal('airflow').optional(),
  })
  .refine(({ startedBy, retryCount }) => startedBy === 'airflow' || retryCount !== undefined, {
    path: ['retryCount'],
    message: 'a state machine has to pass the retry count of its state',
  });

const input = z.union([profile, training]);

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
    await requireCurrent(ports);
    const { runId, taskToken, execution, retryCount = 0 } = event;
    if (event.stage === 'profile') {
      const { job } = event;
      const outcome = await enterProfile(ports, { job, taskToken, execution, retryCount });
      log.info('look at datasets entered', { runId, tenants: job.tenants.length, outcome });
      return { outcome };
    }
    const { startedBy, stage } = event;
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
