import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { findWorkload } from '../../lib/config/training-of.ts';
import { referenceWorkload, type Workloads } from '../../lib/config/workloads.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { ImageName } from '../../lib/training/stages.ts';
import { allowedEnvironment } from '../host/environment.ts';
import { findProgram, findUnrunnable } from '../host/find-program.ts';
import { addFolder } from './folder-digest.ts';
import { programIdentity } from './program-identity.ts';

/** Where this host's workloads are found. */
export interface HostPlace {
  /** Folder that `folder` of a workload is relative to. */
  readonly projectDir: string;
  readonly workloads: Workloads;
  /** Variables that jobs inherit from. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** A program of a workload, found on this host. */
export interface HostProgram {
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** Its own variables. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Name of the workload and image in a reference as `pytorch/ml-engine@sha256:...`; a reference without a workload is the reference workload's. */
export function namesIn(reference: string): { readonly workload: string; readonly image: string } {
  const [name = ''] = reference.split('@');
  const slash = name.indexOf('/');
  return slash < 0
    ? { workload: referenceWorkload, image: name }
    : { workload: name.slice(0, slash), image: name.slice(slash + 1) };
}

function fault(code: string, message: string): EpsilonError {
  return new EpsilonError(code, message);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The file that runs as `program`. Errors: `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`. */
function requireProgram(program: string, folder: string, path: string, whose: string): string {
  const file = findProgram(program, folder, path);
  if (file !== undefined) return file;
  const there = findUnrunnable(program, folder, path);
  if (there === undefined)
    throw fault(
      'COMMAND_NOT_FOUND',
      program.includes('/')
        ? `${whose} runs ${resolve(folder, program)}, which is not there.`
        : `${whose} runs "${program}", which PATH does not find.`,
    );
  throw fault('COMMAND_NOT_EXECUTABLE', `${whose} runs ${there}, which is no program (chmod +x).`);
}

/**
 * The program of a workload's image, or its query command; undefined where the workload has none of its own, as the reference workload. Errors:
 * `WORKLOAD_UNKNOWN`, `WORKLOAD_FOLDER_MISSING`, `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`.
 */
export function programOf(
  place: HostPlace,
  workload: string,
  image: ImageName | 'query',
): HostProgram | undefined {
  const { commands, folder: given, environment = {} } = findWorkload(place.workloads, workload);
  const argv = commands?.[image];
  if (!argv || given === undefined) return undefined;
  const [program = '', ...args] = argv;
  const folder = resolve(place.projectDir, given);
  if (!isFolder(folder))
    throw fault('WORKLOAD_FOLDER_MISSING', `Workload "${workload}" runs in ${folder}, which is no folder.`);
  const path = environment['PATH'] ?? place.variables['PATH'] ?? '';
  return { file: requireProgram(program, folder, path, `Workload "${workload}"`), args, folder, environment };
}

/** The program of a command in a folder. Errors: `WORKLOAD_FOLDER_MISSING`, `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`. */
export function programOfCommand(
  [program = '', ...args]: readonly string[],
  folder: string,
  variables: Readonly<Record<string, string | undefined>>,
): HostProgram {
  if (!isFolder(folder)) throw fault('WORKLOAD_FOLDER_MISSING', `${folder} is no folder.`);
  const file = requireProgram(program, folder, variables['PATH'] ?? '', 'The command');
  return { file, args, folder, environment: {} };
}

function lockContent(folder: string, lock: string, workload: string): Uint8Array {
  try {
    return readFileSync(resolve(folder, lock));
  } catch (error) {
    throw fault(
      'WORKLOAD_LOCK_MISSING',
      `The lock file ${resolve(folder, lock)} of workload "${workload}" cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}

/**
 * Reference of a workload's image by what would run now: working directory, lock file, interpreter, arguments and variables; undefined
 * where the workload has no program of its own. Errors: those of `programOf`, `WORKLOAD_LOCK_MISSING`, `WORKLOAD_FOLDER_TOO_LARGE`.
 */
export function imageOf(place: HostPlace, workload: string, image: ImageName): string | undefined {
  const program = programOf(place, workload, image);
  if (!program) return undefined;
  const { lock } = findWorkload(place.workloads, workload);
  const { file, args, folder, environment } = program;
  const env = { ...allowedEnvironment(place.variables), ...environment };
  const hash = createHash('sha256');
  hash.update(JSON.stringify([file, args, environment, programIdentity(file, { folder, env })])).update('\0');
  if (lock !== undefined) hash.update(lockContent(folder, lock, workload)).update('\0');
  addFolder(hash, folder);
  return `${workload}/${image}@sha256:${hash.digest('hex')}`;
}
