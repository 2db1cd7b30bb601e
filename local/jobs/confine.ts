import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathOfFileUri } from '../../lib/objects/file-uri.ts';
import { parseObjectUri } from '../../lib/objects/object-uri.ts';
import type { JobSpec } from '../../lib/training/attempts/job.ts';
import { findProgram } from '../host/find-program.ts';
import type { JobCommand } from './start-job.ts';

/** What a confined job sees of a state directory. */
export interface ConfinedPlace {
  readonly stateDir: string;
  /** Below the state directory. */
  readonly objectsRoot: string;
  /** Folder of the job's own records, below the state directory. */
  readonly jobFolder: string;
  /** Folder for temporary files, which stays as it is. */
  readonly temporary: string;
}

const everythingReadable = ['--ro-bind', '/', '/', '--dev-bind', '/dev', '/dev'] as const;

/**
 * The bubblewrap of this host, if it is there and may do its work: a container, or a kernel without user namespaces, often forbids it.
 * Undefined as well where `EPSILON_CONFINE` is `off`.
 */
export function findBubblewrap(variables: Readonly<Record<string, string | undefined>>): string | undefined {
  if (variables['EPSILON_CONFINE'] === 'off') return undefined;
  const file = findProgram('bwrap', '/', variables['PATH'] ?? '');
  if (file === undefined) return undefined;
  const { status } = spawnSync(file, [...everythingReadable, 'true'], { stdio: 'ignore', timeout: 10_000 });
  return status === 0 ? file : undefined;
}

/** The longest part of a path that holds no glob: a folder or a file that may be shown. */
const withoutGlob = (path: string) => (/[*?[{]/.test(path) ? dirname(path.replace(/[*?[{].*$/, 'x')) : path);

/** Folders and files of this host that are inputs of a job. */
function inputsOf({ environment }: JobSpec, objectsRoot: string): string[] {
  const inputs = JSON.parse(environment['EPSILON_INPUTS'] ?? '{}') as Readonly<Record<string, unknown>>;
  return Object.values(inputs).flatMap((uri) => {
    if (typeof uri !== 'string') return [];
    if (uri.startsWith('file:')) return [withoutGlob(pathOfFileUri(uri))];
    const { bucket, key } = parseObjectUri(uri);
    return [join(objectsRoot, bucket, key)];
  });
}

/**
 * The command under bubblewrap: the disk can be read and not written, except below the job's output and the folder for temporary files. Of the
 * state directory only its tenant's objects, its inputs and its own records are there: no socket, no token, no database, no key.
 */
export function confined(
  bubblewrap: string,
  command: JobCommand,
  spec: JobSpec,
  { stateDir, objectsRoot, jobFolder, temporary }: ConfinedPlace,
): JobCommand {
  const { bucket, key } = parseObjectUri(spec.outputUri.replace(/[^/]+\/$/, ''));
  const output = join(objectsRoot, bucket, key);
  const tenant = join(objectsRoot, bucket, key.split('/')[0] ?? '');
  mkdirSync(output, { recursive: true, mode: 0o700 });
  const state = resolve(stateDir);
  const shown = [tenant, ...inputsOf(spec, objectsRoot), command.cwd ?? ''].map((path) => resolve(path));
  const inside = shown.filter((path) => path.startsWith(`${state}/`));
  const same = (option: string, path: string) => [option, path, path];
  return {
    ...command,
    file: bubblewrap,
    args: [
      ...everythingReadable,
      ...same('--bind', temporary),
      ...['--tmpfs', state],
      ...inside.flatMap((path) => same('--ro-bind-try', path)),
      ...[output, jobFolder].flatMap((path) => same('--bind', resolve(path))),
      '--',
      command.file,
      ...command.args,
    ],
  };
}
