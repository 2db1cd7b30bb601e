import { spawn } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { referenceWorkload } from '../../lib/config/workloads.ts';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { parseObjectUri } from '../../lib/objects/object-uri.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import type { JobSpec } from '../../lib/training/attempts/job.ts';
import { namesIn } from '../workloads/host-workloads.ts';
import type { JobFolder } from './job-folder.ts';

/** Most bytes of names that are read of what changed, and most paths that are judged. */
const mostBytes = 4 * 1_048_576;
const mostPaths = 20_000;

/** Milliseconds by which file systems and clocks may disagree about one moment. */
const slack = 50;

/** A job that writes, while its outcome may still have to be judged. */
interface Writer {
  readonly spec: JobSpec;
  /** Folder that holds all attempts of its stage: a training job removes checkpoints of earlier ones. */
  readonly prefix: string;
  /** Folder of its tenant. */
  readonly tenant: string;
  readonly from: number;
  /** Absent while it runs. */
  readonly until?: number;
  /** Its program may write anywhere: it is not Epsilon's own. */
  readonly foreign: boolean;
}

/** What is known of the objects' folder. */
export interface StrayWritesOptions {
  readonly objectsRoot: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Files below a folder that changed after a file was last written. */
function changedSince(root: string, marker: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const find = spawn('find', [root, '-type', 'f', '-cnewer', marker, '-print0'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    find.stdout.on('data', (piece: Buffer) => {
      out += piece.toString();
      if (out.length > mostBytes) find.kill();
    });
    find.once('error', reject);
    // What vanished meanwhile makes find's code another one, and its answer no worse.
    find.once('close', () => resolve(out.split('\0').filter(Boolean).slice(0, mostPaths)));
  });
}

/**
 * Finds what jobs write below the objects' folder outside of their own output. Looked at are jobs of workloads other than Epsilon's own. What
 * the control plane writes itself, and what is below the output of another job that ran meanwhile, is not taken for theirs. Where several jobs
 * ran and the place is no tenant's of theirs, it is not known who wrote: the log names them, and none fails.
 */
export class StrayWrites {
  readonly #options: StrayWritesOptions;
  readonly #writers = new Map<string, Writer>();
  /** Paths that the control plane has written while jobs ran, each with when. */
  readonly #own = new Map<string, number>();
  readonly #looks = new Map<string, Promise<void>>();

  /** The objects, for the control plane: what it writes through this store is known to be its own. */
  readonly objects: ObjectStore;

  constructor(options: StrayWritesOptions) {
    this.#options = options;
    this.objects = this.#noting(createFileObjectStore({ root: options.objectsRoot }));
  }

  #noting(store: ObjectStore): ObjectStore {
    const noted = async <T>(uri: string, write: () => Promise<T>): Promise<T> => {
      this.#note(uri);
      try {
        return await write();
      } finally {
        this.#note(uri);
      }
    };
    return {
      ...store,
      put: (uri, body, options) => noted(uri, () => store.put(uri, body, options)),
      copy: (from, to, options) => noted(to, () => store.copy(from, to, options)),
    };
  }

  /** A job is about to start, or was found running: from now on it is watched. */
  begin(folder: JobFolder, spec: JobSpec): void {
    const stage = spec.outputUri.replace(/[^/]+\/$/, '');
    const { bucket, key } = parseObjectUri(stage);
    const foreign = namesIn(spec.image).workload !== referenceWorkload;
    const { objectsRoot, clock } = this.#options;
    this.#writers.set(spec.jobName, {
      spec,
      prefix: join(objectsRoot, bucket, key),
      tenant: join(objectsRoot, bucket, key.split('/')[0] ?? '', '/'),
      from: clock.now(),
      foreign,
    });
    if (foreign) folder.watch();
  }

  /** A job is over. Resolves when it is on record what it wrote elsewhere; undefined where nothing is to be waited for. */
  end(folder: JobFolder, spec: JobSpec): Promise<void> | undefined {
    const { jobName } = spec;
    const writer = this.#writers.get(jobName);
    if (!writer) return undefined;
    const ended = { ...writer, until: writer.until ?? this.#options.clock.now() };
    this.#writers.set(jobName, ended);
    if (!ended.foreign || !folder.unlooked) {
      this.#forget();
      return undefined;
    }
    const look =
      this.#looks.get(jobName) ??
      this.#look(folder, ended).finally(() => {
        this.#looks.delete(jobName);
        this.#forget();
      });
    this.#looks.set(jobName, look);
    return look;
  }

  #note(uri: string): void {
    if (this.#writers.size === 0) return;
    const { bucket, key } = parseObjectUri(uri);
    this.#own.set(join(this.#options.objectsRoot, bucket, key), this.#options.clock.now());
  }

  /** Forgets jobs that are over, and writes, before the oldest job that may still have to be judged. */
  #forget(): void {
    const open = [...this.#writers.values()].filter(
      ({ until, spec }) => until === undefined || this.#looks.has(spec.jobName),
    );
    const since = Math.min(...open.map(({ from }) => from)) - slack;
    for (const [name, { until }] of this.#writers)
      if (until !== undefined && until < since && !this.#looks.has(name)) this.#writers.delete(name);
    for (const [path, at] of this.#own) if (at < since) this.#own.delete(path);
  }

  async #look(folder: JobFolder, writer: Writer): Promise<void> {
    const { objectsRoot, log } = this.#options;
    const { jobName } = writer.spec;
    let strays: string[] = [];
    try {
      const changed = await changedSince(objectsRoot, folder.file('watch.json'));
      strays = changed.filter((path) => this.#isBy(writer, path));
    } catch (error) {
      log.warn('not looked for writes elsewhere', { jobName, error: (error as Error).message });
    }
    folder.noteElsewhere(strays.map((path) => path.slice(objectsRoot.length + 1)));
  }

  #isBy(writer: Writer, path: string): boolean {
    if (path.startsWith(writer.prefix)) return false;
    const at = lstatSync(path, { throwIfNoEntry: false })?.ctimeMs;
    if (at === undefined || at < writer.from - slack) return false;
    if ((this.#own.get(path) ?? 0) >= at - slack) return false;
    const meanwhile = [...this.#writers.values()].filter(
      ({ from, until = Number.POSITIVE_INFINITY }) => from - slack <= at && at <= until + slack,
    );
    if (meanwhile.some(({ prefix }) => path.startsWith(prefix))) return false;
    const suspects = meanwhile.filter(({ foreign }) => foreign);
    if (suspects.every(({ spec }) => spec.jobName === writer.spec.jobName)) return true;
    const owners = suspects.filter(({ tenant }) => path.startsWith(tenant));
    if (owners.length > 0) return owners.some(({ spec }) => spec.jobName === writer.spec.jobName);
    this.#options.log.warn('one of these jobs wrote where none may; which one is not known', {
      path,
      jobs: suspects.map(({ spec }) => spec.jobName),
    });
    return false;
  }
}
