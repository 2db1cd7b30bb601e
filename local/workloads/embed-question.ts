import { spawn } from 'node:child_process';
import { findWorkload } from '../../lib/config/training-of.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { contractVersion } from '../../lib/training/attempts/job-contract.ts';
import { allowedEnvironment } from '../host/environment.ts';
import { type HostPlace, programOf } from './host-workloads.ts';

/** Milliseconds in which a question has to be embedded; a large library is loaded in this time. */
const patience = 120_000;

/** Bytes of an answer that are taken. */
const mostBytes = 16 * 1_048_576;

/** A question to the model of a workload. */
export interface Question {
  readonly workload: string;
  readonly tenantId: string;
  /** Prefix of the model's output. */
  readonly modelPrefix: string;
  readonly objectsRoot: string;
  readonly text: string;
  /** Of the index that the vector is for. */
  readonly dimensions: number;
}

function failed(workload: string, why: string): EpsilonError {
  return new EpsilonError('QUERY_COMMAND_FAILED', `The query command of workload "${workload}" ${why}.`, {
    exitCode: exitCodes.runFailed,
  });
}

/** The vector of an answer; undefined where the model knows no word of the question. */
function vectorOf(answer: string, { workload, dimensions }: Question): Float32Array | undefined {
  let vector: unknown;
  try {
    ({ vector } = JSON.parse(answer) as { readonly vector: unknown });
  } catch {
    throw failed(workload, 'answered with what is no line of JSON');
  }
  if (vector === null) return undefined;
  if (!Array.isArray(vector) || !vector.every(Number.isFinite))
    throw failed(workload, 'answered without a "vector" of finite numbers');
  if (vector.length !== dimensions)
    throw failed(workload, `answered with ${vector.length} dimensions; the index has ${dimensions}`);
  return Float32Array.from(vector as number[]);
}

/** Writes a line to a program and gives the line that it answers. */
async function converse(
  {
    file,
    args,
    cwd,
    env,
  }: { file: string; args: readonly string[]; cwd: string; env: Record<string, string> },
  line: string,
  workload: string,
): Promise<string> {
  const child = spawn(file, [...args], { cwd, env, timeout: patience, killSignal: 'SIGKILL' });
  let [out, said] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => {
    out += piece.toString();
    if (out.length > mostBytes) child.kill('SIGKILL');
  });
  child.stderr.on('data', (piece: Buffer) => {
    said = (said + piece.toString()).slice(-2_000);
  });
  // A program that ends without reading is judged by its exit.
  child.stdin.on('error', () => {});
  child.stdin.end(`${line}\n`);
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => resolve(exit ?? signal ?? 'no code'));
  });
  if (code === 0) return out.trim().split('\n').at(-1) ?? '';
  const words = said.trim().split('\n').at(-1) ?? '';
  throw failed(workload, `ended with ${code}${words === '' ? '' : `: ${words}`}`);
}

/**
 * Asks a workload's `query` command for the vector of a question. Errors: `QUERY_NOT_DECLARED`, `QUERY_COMMAND_FAILED`, those of
 * `programOf`.
 */
export async function embedQuestion(place: HostPlace, question: Question): Promise<Float32Array | undefined> {
  const { workload, tenantId, modelPrefix, objectsRoot, text } = question;
  const { commands } = findWorkload(place.workloads, workload);
  const program = commands?.query ? programOf(place, workload, 'query') : undefined;
  if (!program)
    throw new EpsilonError(
      'QUERY_NOT_DECLARED',
      `Workload "${workload}" declares no query command, so that its models answer no questions here (docs/your-own-jobs.md).`,
    );
  const env = {
    ...allowedEnvironment(place.variables),
    ...program.environment,
    EPSILON_CONTRACT: String(contractVersion),
    EPSILON_INPUTS: JSON.stringify({ model: modelPrefix }),
    EPSILON_OBJECTS_ROOT: objectsRoot,
  };
  const args = [...program.args, '--tenant-id', tenantId, '--query'];
  const call = { file: program.file, args, cwd: program.folder, env };
  return vectorOf(await converse(call, JSON.stringify({ text }), workload), question);
}
