import { NotFound } from '../../lib/errors/store-errors.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import type { JobSpec } from '../../lib/training/attempts/job.ts';
import { account, region } from './batch-stand-in.ts';

/** An image of the train stage, by a digest of 64 times one digit. */
export function anImage(digit = '0'): string {
  return `${account}.dkr.ecr.${region}.amazonaws.com/epsilon/ml-engine@sha256:${digit.repeat(64)}`;
}

/** A job of the train stage; override what the test is about. */
export function aJobSpec(over: Partial<JobSpec> = {}): JobSpec {
  const runId = over.runId ?? 'acme-2026-11-24';
  const outputUri = `s3://data-bucket/acme/runs/${runId}/train/1/`;
  return {
    jobName: `${runId}-train-1`,
    tenantId: 'acme',
    runId,
    logicalDate: '2026-11-24',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    stage: 'train',
    attempt: 1,
    image: anImage(),
    arguments: ['--tenant-id', 'acme', '--model-type', 'skipgram', '--epochs', '10'],
    environment: {
      EPSILON_RUN_ID: runId,
      EPSILON_TRAINING_STAGE: 'train',
      EPSILON_ATTEMPT: '1',
      EPSILON_OUTPUT: outputUri,
    },
    outputUri,
    resources: { cpu: 4, memoryMiB: 8192 },
    capacity: 'spot',
    timeoutSeconds: 43_200,
    priority: 50,
    ...over,
  };
}

/** Objects of a test, by URI. */
export class Objects implements Pick<ObjectStore, 'get'> {
  readonly texts = new Map<string, string>();
  /** Thrown instead of an answer. */
  fault: Error | undefined;

  async get(uri: string, { first }: { readonly first?: number } = {}): Promise<Uint8Array> {
    if (this.fault) throw this.fault;
    const text = this.texts.get(uri);
    if (text === undefined) throw new NotFound('OBJECT_NOT_FOUND', `There is no object ${uri}.`);
    return new TextEncoder().encode(text).subarray(0, first);
  }
}
