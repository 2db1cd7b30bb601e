import type { AttemptKey } from '../ports/run-store.ts';
import { type JobStage, jobStageNames } from '../training/stages.ts';
import { jobAnnotations, jobLabels } from './job-labels.ts';

/** Whose job it is, as its metadata says. */
export interface JobFacts extends AttemptKey {
  readonly tenantId: string;
  readonly logicalDate: string;
  readonly traceId: string;
}

/** Metadata of a job or of its pod. */
export interface Metadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

function isStage(stage: string | undefined): stage is JobStage {
  return jobStageNames.some((name) => name === stage);
}

/** Reads run, stage, attempt and tenant from what `jobManifest` wrote; undefined when it is not one of Epsilon's jobs. */
export function jobFactsOf({ labels = {}, annotations = {} }: Metadata): JobFacts | undefined {
  const stage = labels[jobLabels.stage];
  const attempt = Number(labels[jobLabels.attempt]);
  const tenantId = annotations[jobAnnotations.tenantId];
  const runId = annotations[jobAnnotations.runId];
  if (!isStage(stage) || !Number.isInteger(attempt) || attempt < 1) return undefined;
  if (tenantId === undefined || runId === undefined) return undefined;
  return {
    runId,
    stage,
    attempt,
    tenantId,
    logicalDate: annotations[jobAnnotations.logicalDate] ?? '',
    traceId: annotations[jobAnnotations.traceId] ?? '',
  };
}
