import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { JobObservation, JobSpec } from '../../lib/training/attempts/job.ts';
import {
  type JobResult,
  largestResult,
  parseJobResult,
  resultFields,
} from '../../lib/training/attempts/job-result.ts';
import type { JobReason } from '../../lib/training/job-reason.ts';
import { isAlive } from '../host/processes.ts';
import { lastProgress } from './progress-file.ts';

/** What the shim wrote about its processes. */
export interface Started {
  readonly shim: number;
  readonly shimStart: string;
}

/** Why the control plane ended a job. */
export interface Cancelled {
  readonly reason: Extract<JobReason, 'cancelled' | 'timeout' | 'preempted' | 'unplaceable' | 'unstartable'>;
  readonly message: string;
  readonly at: number;
}

/** How a job ended. */
export interface Exit {
  readonly code?: number;
  /** The job never ran. */
  readonly neverStarted?: boolean;
  /** Processes that it left behind and that were killed. */
  readonly left?: number;
  /** Its processes vanished without leaving an exit code. */
  readonly lost?: boolean;
  /** Why it could not be started. */
  readonly message?: string;
  /** Its program cannot be run on this host, whoever tries. */
  readonly unstartable?: true;
}

function read<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** So many bytes of a file's beginning, however much a job has left; undefined where there is no file. */
function readBeginning(path: string, most: number): Uint8Array | undefined {
  // Not a pipe, which nobody may ever fill.
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(most);
    return bytes.subarray(0, readSync(file, bytes, 0, most, 0));
  } finally {
    closeSync(file);
  }
}

function timeOf(path: string): string | undefined {
  try {
    return new Date(statSync(path).mtimeMs).toISOString();
  } catch {
    return undefined;
  }
}

function explain(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EpsilonError('DISK_FULL', `The disk is full; nothing was started (${path}).`, {
      exitCode: exitCodes.backend,
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR') {
    return new EpsilonError('STATE_DIR_UNWRITABLE', `${path} cannot be written; nothing was started.`, {
      cause: error,
    });
  }
  return error;
}

/** The folder of one job: everything that is known of it, readable after any crash. */
export class JobFolder {
  readonly path: string;
  readonly jobName: string;

  constructor(root: string, jobName: string) {
    this.jobName = jobName;
    this.path = join(root, jobName);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  get exists(): boolean {
    return existsSync(this.file('spec.json'));
  }

  /** Accepts the job: from here on it is known under its name for ever. */
  accept(spec: JobSpec): void {
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      this.#write('spec.json', spec);
    } catch (error) {
      throw explain(error, this.path);
    }
  }

  #write(name: string, value: unknown): void {
    const temporary = this.file(`${name}.tmp`);
    writeFileSync(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 });
    renameSync(temporary, this.file(name));
  }

  get spec(): JobSpec | undefined {
    return read<JobSpec>(this.file('spec.json'));
  }

  get started(): Started | undefined {
    return read<Started>(this.file('started.json'));
  }

  /** A shim has taken the job, though it may not have said more yet. */
  get taken(): boolean {
    return existsSync(this.file('running'));
  }

  get takenAt(): number {
    return statSync(this.file('running')).mtimeMs;
  }

  get finished(): boolean {
    return existsSync(this.file('exit.json'));
  }

  get cancelled(): Cancelled | undefined {
    return read<Cancelled>(this.file('cancel.json'));
  }

  cancel(cancelled: Cancelled): void {
    if (!existsSync(this.file('cancel.json'))) this.#write('cancel.json', cancelled);
  }

  /** Writes the job's inputs to a file and gives its path. */
  writeInputs(text: string): string {
    const path = this.file('inputs.json');
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  /** From now on it counts what the job writes elsewhere than below its output; before that is known, it is not over. */
  watch(): void {
    this.#write('watch.json', {});
  }

  /** It is to be looked at what the job wrote elsewhere, and was not. */
  get unlooked(): boolean {
    return existsSync(this.file('watch.json')) && !existsSync(this.file('elsewhere.json'));
  }

  /** Notes what the job wrote elsewhere. */
  noteElsewhere(paths: readonly string[]): void {
    this.#write('elsewhere.json', { count: paths.length, paths: paths.slice(0, 3) });
  }

  /** Notes what is started for the job. */
  noteImage(image: string): void {
    this.#write('image.json', { image });
  }

  /** Writes the exit of a job that has no shim to do it. */
  close(exit: Exit): void {
    if (!this.finished) this.#write('exit.json', exit);
  }

  get alive(): boolean {
    const { started } = this;
    return started !== undefined && !this.finished && isAlive(started.shim, started.shimStart);
  }

  #result(): JobResult {
    return parseJobResult(readBeginning(this.file('result.json'), largestResult + 1));
  }

  /** What is known of the job now. */
  observe(): JobObservation | undefined {
    const spec = this.spec;
    if (!spec) return undefined;
    const submittedAt = timeOf(this.file('spec.json'));
    const startedAt = timeOf(this.file('started.json'));
    const image = read<{ readonly image?: string }>(this.file('image.json'))?.image;
    const base = {
      jobName: this.jobName,
      jobId: this.jobName,
      capacity: spec.capacity,
      ...(image === undefined ? {} : { image }),
      ...(submittedAt ? { submittedAt } : {}),
      ...(startedAt ? { startedAt } : {}),
    };
    if (!this.finished || this.unlooked) {
      const progress = lastProgress(this.file('progress.jsonl'));
      return { ...base, state: this.taken ? 'running' : 'pending', ...(progress ? { progress } : {}) };
    }
    // A record that cannot be read any more says no more than that the job is over.
    const exit = read<Exit>(this.file('exit.json')) ?? { lost: true };
    const finishedAt = timeOf(this.file('exit.json'));
    const fate = fateOf(exit, this.cancelled);
    const elsewhere = elsewhereText(read<Elsewhere>(this.file('elsewhere.json')));
    const message = [fate.message, leftText(exit), elsewhere].filter(Boolean).join('; ');
    const state = fate.reason === 'completed' ? 'succeeded' : 'failed';
    return {
      ...base,
      state,
      reason: fate.reason,
      ...(exit.code === undefined ? {} : { exitCode: exit.code }),
      ...(message === '' ? {} : { message }),
      ...resultFields(this.#result(), state),
      ...(state === 'succeeded' && elsewhere !== '' ? { resultFault: `WRITES_ELSEWHERE: ${elsewhere}` } : {}),
      ...(finishedAt ? { finishedAt } : {}),
    };
  }
}

/** What a job wrote elsewhere than below its output. */
interface Elsewhere {
  readonly count: number;
  /** The first of them, from the objects' folder. */
  readonly paths: readonly string[];
}

function elsewhereText(elsewhere: Elsewhere | undefined): string {
  if (!elsewhere || elsewhere.count === 0) return '';
  const { count, paths } = elsewhere;
  const more = count > paths.length ? ` and ${count - paths.length} more` : '';
  return `it wrote outside of its output: ${paths.join(', ')}${more}`;
}

const leftText = ({ left = 0 }: Exit): string =>
  left === 0
    ? ''
    : `it left ${left === 1 ? 'a process' : `${left} processes`} behind, which ${left === 1 ? 'was' : 'were'} killed`;

/** How an exit reads: our own asking first, then the code. A shell reports a signal as 128 + its number. */
function fateOf(
  exit: Exit,
  cancelled: Cancelled | undefined,
): { readonly reason: JobReason; readonly message?: string } {
  if (exit.code === 0) return { reason: 'completed' };
  if (cancelled) return { reason: cancelled.reason, message: cancelled.message };
  if (exit.unstartable) return { reason: 'unstartable', message: exit.message ?? '' };
  if (exit.message !== undefined) return { reason: 'error', message: exit.message };
  if (exit.lost) return { reason: 'lost', message: 'its processes vanished without leaving an exit code' };
  if (exit.code === 143)
    return { reason: 'preempted', message: 'it was stopped (SIGTERM), but not by Epsilon' };
  // "Try again" of the job contract: what it lacked was the host's, such as room on the disk.
  if (exit.code === 75)
    return { reason: 'preempted', message: 'the host had no room or no connection for it (exit 75)' };
  if (exit.code === 137)
    return { reason: 'error', message: 'it was killed (SIGKILL), perhaps because memory ran out' };
  return { reason: 'error', message: `it exited with ${exit.code ?? 'no code'}` };
}
