import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchClient, JobDetail } from '@aws-sdk/client-batch';
import type { AwsClientStub } from 'aws-sdk-client-mock';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { stages } from '../../lib/training/stages.ts';
import { makeRunner, writeTemplates } from '../aws/batch-runner.ts';
import { type BatchEvent, BatchStandIn } from '../aws/batch-stand-in.ts';
import { leaveProfiles } from '../fixtures/dataset-jobs.ts';
import { type Night, openNight } from './harness.ts';

/** What the rules call our queues where there is no account. */
const queues = { spot: 'local:BatchSpotQueueArn', 'on-demand': 'local:BatchOnDemandQueueArn' };

/** Results by stage, as small as they may be. */
const results: Readonly<Record<string, Record<string, unknown>>> = {
  prepare: { passages: 12 },
  train: { words: 100, dimensions: 8, checksums: { model: 'm' } },
  index: { vectors: 12, dimensions: 8, checksums: { index: 'i' } },
  deploy: { selfRetrieval: 1 },
  cache: { entries: 12 },
};

/** A night whose jobs run on Batch. */
export interface BatchNight extends Night {
  readonly batch: BatchStandIn;
  /** Jobs of a stage, in order of submission. */
  jobsOf(stage: string): JobDetail[];
  /** Delivers an event to the bus, once more or late. */
  deliver(event: BatchEvent): Promise<void>;
  readonly events: BatchEvent[];
}

const variableOf = (job: JobDetail, name: string) =>
  job.container?.environment?.find((one) => one.name === name)?.value ?? '';

/** What a container leaves behind when it ends well. */
export function leaveOutputs(objectsRoot: string, job: JobDetail): void {
  const folder = join(objectsRoot, variableOf(job, 'EPSILON_OUTPUT').slice('s3://'.length));
  mkdirSync(folder, { recursive: true });
  const stage = variableOf(job, 'EPSILON_TRAINING_STAGE');
  const result = results[stage] ?? {};
  if (stage === 'profile')
    leaveProfiles(objectsRoot, {
      inputs: variableOf(job, 'EPSILON_INPUTS'),
      output: variableOf(job, 'EPSILON_OUTPUT'),
    });
  writeFileSync(join(folder, 'result.json'), JSON.stringify(result));
  for (const name of ['model.bin', 'index.faiss', 'manifest.json']) writeFileSync(join(folder, name), name);
}

/**
 * The control plane of the embedded runtime over the Batch runner and a Batch in memory; Batch's events come in over the bus
 * and the rule for them. The runner is made anew with every control plane: what it knows of earlier submissions is gone.
 */
export async function openBatchNight(
  mock: AwsClientStub<BatchClient>,
  options: { readonly schedules?: boolean; readonly variables?: Record<string, string> } = {},
): Promise<BatchNight> {
  let batch: BatchStandIn | undefined;
  let templates: ReturnType<typeof writeTemplates>;
  const events: BatchEvent[] = [];
  const night = await openNight({
    ...options,
    makeRunner: ({ clock, objectsRoot }) => {
      if (!batch) {
        batch = new BatchStandIn(clock, queues);
        batch.install(mock);
        batch.onSuccess = (job) => leaveOutputs(objectsRoot, job);
        templates = writeTemplates(batch, (stage) => `${stages[stage].image}@sha256:${'0'.repeat(64)}`);
      }
      const objects = createFileObjectStore({ root: objectsRoot });
      const runner = makeRunner({ clock, templates, objects, queues });
      return { ...runner, recover: () => ({ adopted: 0, queued: 0, lost: 0 }), close: () => {} };
    },
  });
  if (!batch) throw new Error('The runtime made no runner.');
  const deliver = async (event: BatchEvent): Promise<void> => {
    const { events: bus } = night.runtime.ports;
    // On AWS this comes over the account's own bus, not over ours.
    await bus.publish([
      {
        source: event.source as never,
        detailType: event['detail-type'],
        detail: event.detail as unknown as Record<string, unknown>,
      },
    ]);
  };
  batch.onEvent = (event) => {
    events.push(event);
    void deliver(event);
  };
  const standIn = batch;
  return Object.assign(night, {
    batch: standIn,
    events,
    deliver,
    jobsOf: (stage: string) =>
      [...standIn.jobs.values()].filter((job) => variableOf(job, 'EPSILON_TRAINING_STAGE') === stage),
  });
}
