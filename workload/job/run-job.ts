import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { checkTenantId } from '../../lib/tenants/tenant.ts';
import { largestResult } from '../../lib/training/attempts/job-result.ts';
import { type JobContext, readContext } from './context.ts';
import { Interrupted, JobFailure, jobExit } from './failure.ts';

/** Arguments of a job, by name without dashes. */
export type JobArguments = Readonly<Record<string, string | boolean | undefined>>;

/** Fields of result.json: small facts for the control plane. */
export type ResultFields = Readonly<Record<string, unknown>>;

/** A job of an image: the arguments it takes and what it does. */
export interface JobDefinition {
  readonly options: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;
  /** Who the job is for, where it is no tenant. */
  owner?(args: JobArguments): string | undefined;
  run(context: JobContext, args: JobArguments): Promise<ResultFields>;
}

/** SHA-256 of bytes or text, in hex. */
export function sha256(body: Uint8Array | string): string {
  return createHash('sha256').update(body).digest('hex');
}

/** `--resultPath` may be /dev/termination-log, which cannot be replaced by a rename. */
function writeResult(path: string, result: ResultFields): void {
  const text = JSON.stringify(result);
  if (Buffer.byteLength(text) > largestResult)
    throw new JobFailure(
      jobExit.software,
      'RESULT_TOO_LARGE',
      `The result has more than ${largestResult} bytes.`,
    );
  if (path.startsWith('/dev/')) {
    writeFileSync(path, text);
    return;
  }
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

function parse(definition: JobDefinition, argv: readonly string[]): JobArguments {
  try {
    return parseArgs({ args: [...argv], options: definition.options, strict: true }).values as JobArguments;
  } catch (error) {
    throw new JobFailure(jobExit.usage, 'USAGE', (error as Error).message);
  }
}

/** Codes of failing calls that a later try may not meet again. */
const passing: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'ETIMEDOUT',
  'ECONNRESET',
  'ECONNREFUSED',
]);

/** Codes of wrong input beside `DATA_` and `DOCUMENTS_`: no later try can do better. */
const inputCodes: ReadonlySet<string> = new Set([
  'OBJECT_NOT_FOUND',
  'OBJECT_URI_INVALID',
  'PREFIX_UNSAFE',
  'TENANT_ID_INVALID',
]);

function asFailure(error: unknown): JobFailure {
  if (error instanceof JobFailure) return error;
  if (error instanceof Interrupted)
    return new JobFailure(
      jobExit.terminated,
      'INTERRUPTED',
      'Stopped on request; the last checkpoint stays.',
    );
  if (error instanceof EpsilonError) {
    const input = /^(DATA|DOCUMENTS)_/.test(error.code) || inputCodes.has(error.code);
    return new JobFailure(
      input ? jobExit.data : error.code === 'DISK_FULL' ? jobExit.tryAgain : 1,
      error.code,
      error.message,
    );
  }
  const { code, message } = error as NodeJS.ErrnoException;
  return new JobFailure(passing.has(code ?? '') ? jobExit.tryAgain : 1, code ?? 'INTERNAL', message);
}

async function work(
  definition: JobDefinition,
  argv: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const args = parse(definition, argv);
  const tenantId = definition.owner?.(args) ?? checkTenantId(args['tenant-id']);
  const context = await readContext(variables, tenantId, signal);
  const began = performance.now();
  context.progress('stage begins');
  const facts = await definition.run(context, args).catch(async (error: unknown) => {
    await writeFailureResult(context, error);
    throw error;
  });
  const result = {
    ...facts,
    seconds: Math.round(performance.now() - began) / 1000,
  };
  await context.objects.put(`${context.output}result.json`, JSON.stringify(result), {
    contentType: 'application/json',
  });
  writeResult(context.resultPath, result);
  context.progress('stage done', result);
}

/** A failure as a job result: code and message. */
function failureResult(error: unknown): {
  readonly error: { readonly code: string; readonly message: string };
} {
  const { code, message } = asFailure(error);
  return { error: { code, message: message.slice(0, 1_000) } };
}

/**
 * Writes a failure to `result.json` as well: Batch does not keep a container's termination message. Skipped when the job was
 * stopped on request.
 */
async function writeFailureResult({ objects, output }: JobContext, error: unknown): Promise<void> {
  if (error instanceof Interrupted) return;
  await objects
    .put(`${output}result.json`, JSON.stringify(failureResult(error)), { contentType: 'application/json' })
    // A failing object store must not hide the exit code; the failure is on stderr too.
    .catch(() => {});
}

/** Writes the failure as the job's result; a full disk must not hide the exit code. */
function writeResultFile(path: string | undefined, result: ResultFields): void {
  try {
    if (path !== undefined) writeResult(path, result);
  } catch {
    // The failure is on stderr too.
  }
}

function unlessFull(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error;
}

/** Runs a job by the contract: result, exit code and one line of JSON on stderr when it fails. Ends the process. */
export async function runJob(definition: JobDefinition): Promise<void> {
  const stop = new AbortController();
  // Not once: the platform may ask again, and a second signal without a listener would end the job at once.
  process.on('SIGTERM', () => stop.abort());
  // Lines for which the log's disk has no room are lost; the work is not.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', unlessFull);
  // A job's environment is its input: the contract is read here, at its door.
  const variables = process.env;
  try {
    await work(definition, process.argv.slice(2), variables, stop.signal);
    process.exitCode = 0;
  } catch (error) {
    const { code, message, exitCode } = asFailure(error);
    writeResultFile(variables['EPSILON_RESULT_PATH'], failureResult(error));
    process.stderr.write(
      `${JSON.stringify({ timestamp: new Date().toISOString(), level: 'ERROR', code, message })}\n`,
    );
    process.exitCode = exitCode;
  }
}

/** Throws when the platform has asked the job to stop. */
export function checkInterrupted({ signal }: JobContext): void {
  if (signal.aborted) throw new Interrupted('SIGTERM');
}
