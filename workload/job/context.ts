import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { checkSchema } from '../../lib/errors/check-schema.ts';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import { contractVersions } from '../../lib/training/attempts/job-contract.ts';
import { jobStageNames } from '../../lib/training/stages.ts';
import { JobFailure, jobExit } from './failure.ts';
import { openProgress, type Progress, publishProgress } from './progress.ts';

/** The job contract's variables (docs/job-contract.md). */
const contract = z.object({
  EPSILON_CONTRACT: z
    .string()
    .default('1')
    .refine((version) => contractVersions.map(String).includes(version), {
      error: `is no version of the job contract that this job knows (${contractVersions.join(', ')})`,
    }),
  EPSILON_RUN_ID: z.string().min(1),
  EPSILON_TRAINING_STAGE: z.enum(jobStageNames),
  EPSILON_ATTEMPT: z.coerce.number().int().positive(),
  EPSILON_INPUTS: z.string().optional(),
  EPSILON_INPUTS_FILE: z.string().min(1).optional(),
  EPSILON_PROGRESS_PATH: z.string().min(1).optional(),
  EPSILON_CPUS: z.coerce.number().positive().optional(),
  EPSILON_OUTPUT: z
    .string()
    .regex(/^s3:\/\/[^/]+\/.+\/$/, { error: 'must be an s3://bucket/prefix/ that ends in "/"' }),
  EPSILON_FENCE: z.coerce.number().int().min(0),
  EPSILON_SEED: z.coerce.number().int().min(0),
  EPSILON_RESULT_PATH: z.string().min(1),
  EPSILON_TRACEPARENT: z.string().optional(),
  EPSILON_OBJECTS_ROOT: z.string().optional(),
  EPSILON_OPTIONS: z.string().optional(),
  REDIS_URL: z.string().optional(),
});

const optionsSchema = z.object({
  maxTokens: z.number().int().positive().optional(),
  maxDocuments: z.number().int().positive().optional(),
  dimensions: z.number().int().min(2).max(4_096).optional(),
  minSelfRetrieval: z.number().min(0).max(1).optional(),
  textColumn: z.string().min(1).optional(),
  idColumn: z.string().min(1).optional(),
  badRowShare: z.number().min(0).max(1).optional(),
  judgedDigest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  judgedAt: z.iso.datetime().optional(),
});

/** Everything a stage is given. */
export interface JobContext {
  readonly tenantId: string;
  readonly runId: string;
  readonly stage: string;
  readonly attempt: number;
  readonly fence: number;
  readonly seed: number;
  readonly inputs: Readonly<Record<string, string>>;
  /** This attempt's prefix, ends in "/". */
  readonly output: string;
  readonly options: z.output<typeof optionsSchema>;
  readonly objects: ObjectStore;
  readonly redisUrl: string | undefined;
  readonly resultPath: string;
  /** Whole processors this stage may use, 1 or more. */
  readonly cpus: number;
  /** Aborted on SIGTERM: checkpoint and leave. */
  readonly signal: AbortSignal;
  /** One line of progress for people and machines. */
  readonly progress: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** Says how far the stage is; may be called as often as one likes. */
  readonly report: (progress: Progress) => void;
}

/** Objects of this host, or S3: with the credentials that the SDK finds (workload/credentials). */
async function openObjects(values: z.output<typeof contract>): Promise<ObjectStore> {
  if (values.EPSILON_OBJECTS_ROOT !== undefined)
    return createFileObjectStore({ root: values.EPSILON_OBJECTS_ROOT });
  const { createS3ObjectStore } = await import('../../lib/aws/s3/s3-object-store.ts');
  return createS3ObjectStore();
}

function json<T>(schema: z.ZodType<T>, text: string, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JobFailure(jobExit.config, 'CONTRACT_INVALID', `${name} is not JSON.`);
  }
  const parsed = checkSchema(schema, value);
  if (parsed.success) return parsed.data;
  throw new JobFailure(
    jobExit.config,
    'CONTRACT_INVALID',
    `${[name, ...parsed.fault.path].join('.')}: ${parsed.fault.sentence}.`,
  );
}

/** The inputs as JSON: from the environment, or from a file where they were too large for it. */
function inputsText({ EPSILON_INPUTS: text, EPSILON_INPUTS_FILE: file }: z.output<typeof contract>): string {
  if (text !== undefined) return text;
  if (file === undefined)
    throw new JobFailure(
      jobExit.config,
      'CONTRACT_INVALID',
      'EPSILON_INPUTS: neither it nor EPSILON_INPUTS_FILE is there.',
    );
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new JobFailure(
      jobExit.config,
      'CONTRACT_INVALID',
      `EPSILON_INPUTS_FILE: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}

/** Processors that the stage was given, but no more than there are. */
function cpusOf({ EPSILON_CPUS: given }: z.output<typeof contract>): number {
  return Math.max(1, Math.floor(Math.min(given ?? 1, availableParallelism())));
}

/** Reads the job contract; throws a JobFailure (exit 78) naming the variable that is missing or wrong. */
export async function readContext(
  variables: Readonly<Record<string, string | undefined>>,
  tenantId: string,
  signal: AbortSignal,
): Promise<JobContext> {
  const parsed = checkSchema(contract, variables);
  if (!parsed.success) {
    const { path, sentence } = parsed.fault;
    throw new JobFailure(jobExit.config, 'CONTRACT_INVALID', `${path.join('.')}: ${sentence}.`);
  }
  const values = parsed.data;
  const common = {
    runId: values.EPSILON_RUN_ID,
    tenantId,
    stage: values.EPSILON_TRAINING_STAGE,
    attempt: values.EPSILON_ATTEMPT,
    traceId: values.EPSILON_TRACEPARENT?.split('-')[1],
  };
  const objects = await openObjects(values);
  const toFile = openProgress(values.EPSILON_PROGRESS_PATH, Date.now);
  const toObject = publishProgress(objects, values.EPSILON_OUTPUT, Date.now);
  return {
    tenantId,
    runId: values.EPSILON_RUN_ID,
    stage: values.EPSILON_TRAINING_STAGE,
    attempt: values.EPSILON_ATTEMPT,
    fence: values.EPSILON_FENCE,
    seed: values.EPSILON_SEED,
    inputs: json(z.record(z.string(), z.string()), inputsText(values), 'EPSILON_INPUTS'),
    output: values.EPSILON_OUTPUT,
    options: json(optionsSchema, values.EPSILON_OPTIONS ?? '{}', 'EPSILON_OPTIONS'),
    objects,
    redisUrl: values.REDIS_URL,
    resultPath: values.EPSILON_RESULT_PATH,
    signal,
    cpus: cpusOf(values),
    report: (progress) => {
      toFile(progress);
      toObject(progress);
    },
    progress: (message, fields = {}) => {
      process.stdout.write(
        `${JSON.stringify({ timestamp: new Date().toISOString(), level: 'INFO', message, ...common, ...fields })}\n`,
      );
    },
  };
}

/** An input's URI; throws when the contract does not name it. */
export function inputUri(context: JobContext, name: string): string {
  const uri = context.inputs[name];
  if (uri !== undefined) return uri;
  throw new JobFailure(jobExit.config, 'CONTRACT_INVALID', `EPSILON_INPUTS names no "${name}".`);
}
