import { mkdirSync, readdirSync } from 'node:fs';
import type { Timer } from '../../lib/ports/clock.ts';
import type { JobObservation, JobRef, JobSpec } from '../../lib/training/attempts/job.ts';
import { stopReasonOf } from '../../lib/training/attempts/stop-reason.ts';
import { clamp, FairQueue, type HostResources, hostResources, queued } from './fair-queue.ts';
import { type Cancelled, JobFolder } from './job-folder.ts';
import { killJob, signalFirst } from './job-group.ts';
import type { LocalJobRunner, ProcessJobRunnerOptions } from './local-job-runner.ts';
import { RoomWatch } from './room-watch.ts';
import { exitOfUnstarted, spawnShim } from './start-job.ts';

/** Milliseconds between looks at jobs that are not children of this process. */
const adoptedPoll = 100;

/** Milliseconds between looks at a job that is just being started. */
const startPoll = 10;

/** Milliseconds between tries to write why a job was not started. */
const recordPoll = 1_000;

/** Milliseconds after which a job that was taken but never said that it started counts as lost. */
const takenGrace = 5_000;

/** Jobs as processes of this host, each in a process group of its own under a small shim. */
export class ProcessJobRunner implements LocalJobRunner {
  readonly backend = 'local';
  readonly #options: ProcessJobRunnerOptions;
  readonly #host: HostResources;
  readonly #queue: FairQueue;
  readonly #graceMs: number;
  readonly #room: RoomWatch;
  /** Jobs that are not over: our own children and adopted ones. */
  readonly #live = new Map<
    string,
    { readonly folder: JobFolder; readonly spec: JobSpec; readonly adopted: boolean }
  >();
  readonly #timers = new Set<Timer>();
  #closed = false;

  constructor(options: ProcessJobRunnerOptions) {
    this.#options = options;
    this.#host = options.host ?? hostResources();
    this.#queue = new FairQueue(this.#host, () => options.clock.now());
    this.#room = new RoomWatch({ ...options, again: () => this.#startNext() });
    this.#graceMs = options.graceMs ?? 10_000;
    mkdirSync(options.root, { recursive: true, mode: 0o700 });
  }

  /** Takes up every job that is not over: running ones are adopted, accepted ones queued, vanished ones closed as lost. */
  recover(): { readonly adopted: number; readonly queued: number; readonly lost: number } {
    const counts = { adopted: 0, queued: 0, lost: 0 };
    for (const name of readdirSync(this.#options.root).sort()) {
      const folder = this.#folder(name);
      // It ended while nobody watched: who wrote what is not known any more.
      if (folder.finished && folder.unlooked) folder.noteElsewhere([]);
      const spec = folder.finished ? undefined : folder.spec;
      if (!spec) continue;
      if (!folder.taken) {
        counts.queued += 1;
        this.#enqueue(folder, spec);
      } else {
        const there = folder.alive || folder.started === undefined;
        counts[there ? 'adopted' : 'lost'] += 1;
        this.#adopt(folder, spec);
      }
    }
    this.#startNext();
    return counts;
  }

  async submit(spec: JobSpec): Promise<JobRef> {
    const folder = this.#folder(spec.jobName);
    const ref = { jobName: spec.jobName, jobId: spec.jobName };
    if (folder.exists) return ref;
    folder.accept(spec);
    if (clamp(spec.resources, this.#host).clamped) {
      this.#options.log.info('request is larger than this host: the job gets all of it and runs alone', {
        jobName: spec.jobName,
        asked: spec.resources,
        host: this.#host,
      });
    }
    this.#enqueue(folder, spec);
    this.#startNext();
    return ref;
  }

  async find(jobName: string): Promise<JobObservation | undefined> {
    return this.#folder(jobName).observe();
  }

  async observe(jobs: readonly JobRef[]): Promise<ReadonlyMap<string, JobObservation>> {
    const found = jobs.flatMap(({ jobName }) => {
      const observation = this.#folder(jobName).observe();
      return observation ? [[jobName, observation] as const] : [];
    });
    return new Map(found);
  }

  async cancel({ jobName }: JobRef, reason: string): Promise<void> {
    this.#end(jobName, { reason: stopReasonOf(reason), message: reason, at: this.#options.clock.now() });
  }

  /** Takes its capacity away from a job, as a spot interruption does. */
  interrupt(jobName: string): void {
    this.#end(jobName, {
      reason: 'preempted',
      message: 'its capacity was reclaimed',
      at: this.#options.clock.now(),
    });
  }

  get runningCount(): number {
    return this.#queue.runningCount;
  }

  /** Lets go of everything; jobs go on running and are adopted by the next process. */
  close(): void {
    this.#closed = true;
    this.#room.close();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #folder(jobName: string): JobFolder {
    return new JobFolder(this.#options.root, jobName);
  }

  #enqueue(folder: JobFolder, spec: JobSpec): void {
    this.#live.set(spec.jobName, { folder, spec, adopted: false });
    this.#queue.add(queued(spec));
  }

  #startNext(): void {
    if (this.#closed) return;
    // Also after the last job: nothing may seem to be waited for when nobody waits.
    if (!this.#room.look({ more: this.#live.size > 0 })) return;
    for (const name of this.#queue.take()) this.#start(name);
  }

  #start(name: string): void {
    const job = this.#live.get(name);
    if (!job) return;
    const { folder, spec } = job;
    try {
      this.#spawn(folder, spec);
    } catch (error) {
      this.#notStarted(folder, error);
      return;
    }
    this.#armTimeout(name, spec);
    const started = folder.observe() ?? { jobName: name, jobId: name };
    this.#options.onObservation({ ...started, state: 'running', capacity: spec.capacity }, spec);
  }

  #spawn(folder: JobFolder, spec: JobSpec): void {
    const command = this.#options.command(spec, { resultPath: folder.file('result.json') });
    const { image } = command;
    if (image !== undefined) {
      folder.noteImage(image);
      if (image !== spec.image)
        this.#options.log.warn('the code has changed since the run began: the job runs it as it is now', {
          jobName: spec.jobName,
          begunWith: spec.image,
          runs: image,
        });
    }
    this.#options.strays?.begin(folder, spec);
    const child = spawnShim(folder, command, this.#options.variables);
    child.unref();
    child.once('error', (error) => this.#notStarted(folder, error));
    child.once('exit', () => this.#shimLeft(spec.jobName));
  }

  /** A job that cannot be started fails alone, and the others go on. */
  #notStarted(folder: JobFolder, error: unknown): void {
    const { log } = this.#options;
    log.error('job could not be started', { jobName: folder.jobName, error: (error as Error).message });
    try {
      folder.close(exitOfUnstarted(error));
      // Not now: whoever submits it has to learn first that it is accepted.
      this.#later(0, () => this.#over(folder.jobName));
    } catch {
      // A full disk takes no record; it is waited out.
      this.#later(recordPoll, () => this.#notStarted(folder, error));
    }
  }

  /** Our shim is gone: normally the job is over; if another shim had the job already, that one is followed. */
  #shimLeft(name: string): void {
    const job = this.#live.get(name);
    if (!job || this.#closed) return;
    if (job.folder.finished) this.#over(name);
    else this.#adopt(job.folder, job.spec);
  }

  #adopt(folder: JobFolder, spec: JobSpec): void {
    this.#live.set(spec.jobName, { folder, spec, adopted: true });
    this.#queue.occupy(queued(spec));
    if (folder.unlooked) this.#options.strays?.begin(folder, spec);
    this.#armTimeout(spec.jobName, spec);
    const cancelled = folder.cancelled;
    if (cancelled && folder.alive) this.#terminate(folder, cancelled);
    this.#follow(folder, spec);
  }

  #follow(folder: JobFolder, spec: JobSpec): void {
    if (this.#closed || !this.#live.has(spec.jobName)) return;
    if (!folder.finished && this.#stillThere(folder)) {
      this.#later(adoptedPoll, () => this.#follow(folder, spec));
      return;
    }
    if (!folder.finished) {
      // Never two live jobs: whatever is left of the group is gone before the job is called lost.
      if (killJob(folder) > 0) {
        this.#later(startPoll, () => this.#follow(folder, spec));
        return;
      }
      folder.close({ lost: true });
    }
    this.#over(spec.jobName);
  }

  #stillThere(folder: JobFolder): boolean {
    if (folder.started) return folder.alive;
    return folder.taken && this.#options.clock.now() - folder.takenAt < takenGrace;
  }

  #over(name: string): void {
    const job = this.#live.get(name);
    if (!job) return;
    const looking = this.#options.strays?.end(job.folder, job.spec);
    if (looking) {
      const again = () => this.#over(name);
      looking.then(again, () => this.#later(recordPoll, again));
      return;
    }
    this.#live.delete(name);
    this.#queue.remove(name);
    const observation = job.folder.observe();
    if (observation && !this.#closed) this.#options.onObservation(observation, job.spec);
    this.#startNext();
  }

  #end(jobName: string, cancelled: Cancelled): void {
    const folder = this.#folder(jobName);
    if (!folder.exists || folder.finished) return;
    folder.cancel(cancelled);
    if (!this.#queue.isWaiting(jobName)) {
      this.#terminate(folder, cancelled);
      return;
    }
    folder.close({ neverStarted: true });
    this.#over(jobName);
  }

  /** SIGTERM now, SIGKILL to everything after what is left of the grace. A stopped process is woken, or it would never hear. */
  #terminate(folder: JobFolder, cancelled: Cancelled): void {
    const { at } = cancelled;
    if (!folder.started && !folder.finished) {
      // Its shim is just beginning: it has either seen the cancellation or says in a moment whom to stop.
      this.#later(startPoll, () => this.#terminate(folder, cancelled));
      return;
    }
    if (
      signalFirst(folder, 'SIGTERM') === 0 &&
      folder.alive &&
      this.#options.clock.now() < at + this.#graceMs
    ) {
      this.#later(startPoll, () => this.#terminate(folder, cancelled));
      return;
    }
    signalFirst(folder, 'SIGCONT');
    this.#later(Math.max(0, at + this.#graceMs - this.#options.clock.now()), () => {
      if (!folder.finished) killJob(folder);
    });
  }

  #armTimeout(name: string, spec: JobSpec): void {
    this.#later(spec.timeoutSeconds * 1000, () => {
      if (!this.#live.has(name)) return;
      this.#end(name, {
        reason: 'timeout',
        message: `it took longer than ${spec.timeoutSeconds} seconds`,
        at: this.#options.clock.now(),
      });
    });
  }

  #later(delayMs: number, callback: () => void): void {
    const timer = this.#options.clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }
}
