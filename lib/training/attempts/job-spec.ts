import { spanIdOfAttempt, traceIdOfRun, traceparentOf } from '../../tracing/ids.ts';
import { artifactNames } from '../models/candidate.ts';
import type { Attempt, Run } from '../run.ts';
import { isStage, type StageName, stages } from '../stages.ts';
import type { JobSpec } from './job.ts';
import { contractVersion } from './job-contract.ts';

/** Output prefixes of the stages that succeeded so far. */
export type StageOutputs = Readonly<Partial<Record<StageName, string>>>;

/** Prefix of all attempts of one stage: `s3://<bucket>/<tenant>/runs/<runId>/<stage>/`. */
export function stagePrefix(bucket: string, run: Pick<Run, 'tenantId' | 'runId'>, stage: StageName): string {
  return `s3://${bucket}/${run.tenantId}/runs/${run.runId}/${stage}/`;
}

/** The stage's inputs by name; throws when a stage it depends on has no output yet, which is a bug. */
function inputsOf(run: Run, stage: StageName, outputs: StageOutputs): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stages[stage].inputs).map(([name, from]) => {
      const uri = from === 'documents' ? run.documentsUri : outputs[from];
      if (uri === undefined)
        throw new Error(
          `Stage ${stage} of ${run.runId} needs the output of ${from}, which has not succeeded.`,
        );
      return [name, uri];
    }),
  );
}

/** Everything the backend needs to run one attempt: the job contract (docs/job-contract.md) filled in. */
export function jobSpecOf(run: Run, attempt: Attempt, outputs: StageOutputs, bucket: string): JobSpec {
  const { stage: name } = attempt;
  if (!isStage(name)) throw new Error(`${attempt.jobName} is no job of a training.`);
  const stage = stages[name];
  const inputs = inputsOf(run, name, outputs);
  const resources = run.resources[stage.name] ?? stage.resources;
  const checkpoints = stage.checkpoints ? { checkpoints: stagePrefix(bucket, run, stage.name) } : {};
  return {
    jobName: attempt.jobName,
    tenantId: run.tenantId,
    runId: run.runId,
    logicalDate: run.logicalDate,
    traceId: run.traceId,
    stage: stage.name,
    attempt: attempt.attempt,
    image: run.images[stage.image],
    arguments: stage.arguments({
      tenantId: run.tenantId,
      modelType: run.modelType,
      epochs: run.epochs ?? 10,
      modelFile: run.modelFile ?? artifactNames.model,
      outputUri: attempt.outputUri,
      inputs,
    }),
    environment: {
      EPSILON_CONTRACT: String(contractVersion),
      EPSILON_RUN_ID: run.runId,
      EPSILON_TRAINING_STAGE: stage.name,
      EPSILON_ATTEMPT: String(attempt.attempt),
      EPSILON_INPUTS: JSON.stringify({ ...inputs, ...checkpoints }),
      EPSILON_OUTPUT: attempt.outputUri,
      EPSILON_FENCE: String(attempt.fence),
      EPSILON_SEED: String(run.seed),
      EPSILON_TRACEPARENT: traceparentOf({ traceId: traceIdOfRun(run), spanId: spanIdOfAttempt(attempt) }),
      EPSILON_OPTIONS: JSON.stringify(run.jobOptions),
      EPSILON_CPUS: String(resources.cpu),
    },
    outputUri: attempt.outputUri,
    resources,
    capacity: attempt.capacity,
    timeoutSeconds: stage.timeoutSeconds,
    priority: run.priority,
  };
}
