import { Throttled } from '../../lib/errors/run-errors.ts';
import type { JobRunner } from '../../lib/ports/job-runner.ts';
import type { JobObservation } from '../../lib/training/attempts/job.ts';
import { stopReasonOf } from '../../lib/training/attempts/stop-reason.ts';
import { FairQueue } from '../../local/jobs/fair-queue.ts';

/** How a backend treats names: Batch's are not unique and its lists lag; Kubernetes' and this host's are unique and known at once. */
export type BackendKind = 'batch' | 'kubernetes' | 'host';

/** One job of the stand-in. */
export interface WorldJob {
  readonly name: string;
  readonly id: string;
  readonly submittedAt: number;
  state: JobObservation['state'];
  reason?: JobObservation['reason'];
  /** Whether lists show it. */
  listed: boolean;
}

/** Whether a job is not over. */
export const isLive = ({ state }: WorldJob): boolean => state === 'pending' || state === 'running';

/** The calls that a runner makes, each a point of its own. */
export type BackendCalls = <T>(
  call: 'list' | 'describe' | 'submit' | 'stop',
  jobName: string,
  perform: () => T,
) => Promise<T>;

/** The jobs of all backends of the world. */
export class Backend {
  readonly kind: BackendKind;
  readonly jobs: WorldJob[] = [];
  /** How many of the next submissions are refused. */
  refuses = 0;
  /** How many of the next submissions the client sends three times, and gets no answer. */
  unanswered = 0;
  /** What a host counts of its jobs. */
  readonly queue = new FairQueue({ cpu: 100, memoryMiB: 100 }, () => 0);
  /** Told of everything that becomes of a job, for the events that follow. */
  onChange: (job: WorldJob) => void = () => {};

  constructor(kind: BackendKind) {
    this.kind = kind;
  }

  /** Lists show every job. */
  catchUp(): void {
    for (const job of this.jobs) job.listed = true;
  }

  to(job: WorldJob, state: WorldJob['state'], reason?: WorldJob['reason']): void {
    job.state = state;
    if (reason) job.reason = reason;
    if (!isLive(job)) this.queue.remove(job.name);
    this.onChange(job);
  }

  #submit(name: string, now: number): string {
    if (this.refuses > 0) {
      this.refuses -= 1;
      throw new Throttled(`${name} is refused`);
    }
    if (this.unanswered > 0) {
      this.unanswered -= 1;
      for (const _ of [1, 2, 3]) this.#submit(name, now);
      throw new Throttled(`${name}: no answer`, undefined, { unclear: true });
    }
    const there = this.kind === 'batch' ? undefined : this.jobs.find((job) => job.name === name);
    if (there) return there.id;
    const id = this.kind === 'kubernetes' ? name : `job-${this.jobs.length + 1}`;
    const job: WorldJob = { name, id, submittedAt: now, state: 'pending', listed: this.kind !== 'batch' };
    this.jobs.push(job);
    if (this.kind === 'host') {
      this.queue.add({ name, tenantId: 'acme', priority: 50, wants: { cpu: 1, memoryMiB: 1 } });
      this.queue.take();
    }
    this.onChange(job);
    return id;
  }

  #stop(id: string, why: string): void {
    const job = this.jobs.find((one) => one.id === id);
    if (job && isLive(job)) this.to(job, 'failed', stopReasonOf(why));
  }

  #seen({ name: jobName, id: jobId, state, reason }: WorldJob): JobObservation {
    return { jobName, jobId, state, ...(reason ? { reason } : {}) };
  }

  /** A runner whose calls go through `call`, in the order in which the real runner of this kind makes them. */
  runner(call: BackendCalls, now: () => number): JobRunner {
    const listed = (name: string) =>
      call('list', name, () => {
        const found = this.jobs.filter((job) => job.name === name && job.listed);
        return found[0] ? this.#seen(found[0]) : undefined;
      });
    return {
      backend: 'local',
      ...(this.kind === 'batch' ? { lookupLags: true } : {}),
      ...(this.kind === 'kubernetes' ? { namesAreIds: true } : {}),
      submit: async ({ jobName }, { fresh = false } = {}) => {
        const there = this.kind === 'batch' && !fresh ? await listed(jobName) : undefined;
        const jobId = there?.jobId ?? (await call('submit', jobName, () => this.#submit(jobName, now())));
        return { jobName, jobId };
      },
      find: listed,
      observe: (refs) =>
        call('describe', refs.map(({ jobName }) => jobName).join(), () => {
          const found = refs.flatMap(({ jobId, jobName }) =>
            this.jobs.filter((job) => job.id === jobId && job.name === jobName),
          );
          return new Map(found.map((job) => [job.name, this.#seen(job)]));
        }),
      cancel: ({ jobName, jobId }, why) => call('stop', jobName, () => this.#stop(jobId, why)),
    };
  }
}
