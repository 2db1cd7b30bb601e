import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { largestInlineInputs } from '../../lib/training/attempts/job-contract.ts';
import { allowedEnvironment } from '../host/environment.ts';
import type { Exit, JobFolder } from './job-folder.ts';

/** What starts a job. */
export interface JobCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Working directory; this process's own where absent. */
  readonly cwd?: string;
  /** What runs, where it can be another one than the job's specification names. */
  readonly image?: string;
}

const shimPath = join(import.meta.dirname, 'shim.sh');

/** Inputs that are too large for the environment go by a file. */
function withInputs(
  folder: JobFolder,
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { EPSILON_INPUTS: inputs, ...others } = env;
  if (inputs === undefined || Buffer.byteLength(inputs) <= largestInlineInputs) return env;
  return { ...others, EPSILON_INPUTS_FILE: folder.writeInputs(inputs) };
}

/**
 * Starts a job's shim in a process group of its own; the shim adds EPSILON_PROGRESS_PATH, by which everything that the job starts is found.
 * Throws where the system refuses at once: arguments and environment too
 * large (E2BIG), no process left (EAGAIN).
 */
export function spawnShim(
  folder: JobFolder,
  { file, args, env, cwd }: JobCommand,
  variables: Readonly<Record<string, string | undefined>>,
): ChildProcess {
  return spawn('/bin/sh', [shimPath, resolve(folder.path), file, ...args], {
    detached: true,
    stdio: 'ignore',
    ...(cwd === undefined ? {} : { cwd }),
    env: {
      ...allowedEnvironment(variables),
      ...withInputs(folder, env),
    },
  });
}

/** The exit of a job that could not be started: without a code where its program cannot be run at all, 78 where no other try can do better, 127 as a shell's, otherwise 75. */
export function exitOfUnstarted(error: unknown): Exit {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof EpsilonError) return { unstartable: true, message: `${error.code}: ${message}` };
  if (code === 'E2BIG' || code === 'ERR_INVALID_ARG_VALUE')
    return {
      code: 78,
      message: `its arguments and environment are too large for this computer or hold a NUL (${code})`,
    };
  return { code: code === 'ENOENT' ? 127 : 75, message: `it could not be started: ${message}` };
}
