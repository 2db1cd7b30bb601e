import { availableParallelism, totalmem } from 'node:os';
import { ShareLedger, whoseTurn } from '../../lib/training/attempts/fair-share.ts';
import type { JobSpec } from '../../lib/training/attempts/job.ts';
import type { Resources } from '../../lib/training/stages.ts';

/** What a host offers its jobs. */
export interface HostResources {
  readonly cpu: number;
  readonly memoryMiB: number;
}

/** What this host offers: its logical processors and its memory. */
export function hostResources(): HostResources {
  return { cpu: availableParallelism(), memoryMiB: Math.floor(totalmem() / 1_048_576) };
}

/** A job in the queue. */
export interface QueuedJob {
  readonly name: string;
  readonly tenantId: string;
  readonly wants: Resources;
  /** 0 (last) to 100 (first). */
  readonly priority: number;
}

/** A job as the queue needs it, from its specification. */
export function queued({ jobName, tenantId, resources, priority }: JobSpec): QueuedJob {
  return { name: jobName, tenantId, wants: resources, priority };
}

interface Waiting extends QueuedJob {
  readonly order: number;
  readonly arrived: number;
}

/** A tenant's waiting jobs, highest priority first, then in order of arrival; and when it last had its turn. */
interface Line {
  readonly jobs: Waiting[];
  served: number;
}

/** A request cut to what the host has; `clamped` when that changed it. */
export function clamp(wants: Resources, host: HostResources): Resources & { readonly clamped: boolean } {
  const cpu = Math.min(wants.cpu, host.cpu);
  const memoryMiB = Math.min(wants.memoryMiB, host.memoryMiB);
  return { cpu, memoryMiB, clamped: cpu !== wants.cpu || memoryMiB !== wants.memoryMiB };
}

/**
 * Which job runs next on a host: highest priority, then fair shares between tenants, with aging
 * (lib/training/attempts/fair-share.ts). Whose turn it is, is never overtaken: a large job waits until enough of the host is
 * free, and smaller ones wait with it. So nothing starves.
 */
export class FairQueue {
  readonly #host: HostResources;
  readonly #now: () => number;
  readonly #lines = new Map<string, Line>();
  readonly #running = new Map<string, QueuedJob>();
  readonly #ledger: ShareLedger;
  /** The job whose turn it is and that does not fit yet. */
  #turn: Waiting | undefined;
  #order = 0;

  constructor(host: HostResources, now: () => number, ledger = new ShareLedger()) {
    this.#host = host;
    this.#now = now;
    this.#ledger = ledger;
  }

  add(job: QueuedJob): void {
    this.#order += 1;
    const arrived = this.#now();
    const waiting = { ...job, wants: clamp(job.wants, this.#host), order: this.#order, arrived };
    const line = this.#lines.get(job.tenantId) ?? { jobs: [], served: 0 };
    this.#lines.set(job.tenantId, line);
    const behind = line.jobs.findIndex(({ priority }) => priority < job.priority);
    line.jobs.splice(behind < 0 ? line.jobs.length : behind, 0, waiting);
    // Somebody more urgent goes before a job that has its turn but has not begun.
    if (this.#turn && job.priority > this.#turn.priority) this.#turn = undefined;
  }

  /** Counts a job that runs already (adopted after a restart), fitting or not. */
  occupy(job: QueuedJob): void {
    if (!this.#running.has(job.name)) this.#begin({ ...job, wants: clamp(job.wants, this.#host) });
  }

  /** Whether the job still waits: nothing has been started for it. */
  isWaiting(name: string): boolean {
    return [...this.#lines.values()].some(({ jobs }) => jobs.some((job) => job.name === name));
  }

  remove(name: string): boolean {
    const running = this.#running.get(name);
    if (running) {
      this.#running.delete(name);
      this.#ledger.change(running.tenantId, -running.wants.cpu, this.#now());
      return true;
    }
    for (const { jobs } of this.#lines.values()) {
      const job = jobs.find((waiting) => waiting.name === name);
      if (!job) continue;
      if (job === this.#turn) this.#turn = undefined;
      this.#leave(job);
      return true;
    }
    return false;
  }

  /** Takes the names that may start now. */
  take(): string[] {
    const started: string[] = [];
    for (let job = this.#next(); job && this.#fits(job.wants); job = this.#next()) {
      this.#turn = undefined;
      this.#leave(job);
      this.#begin(job);
      started.push(job.name);
    }
    return started;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Takes a job out of its line. When the next comes was served last matters only while the line is not empty. */
  #leave(job: Waiting): void {
    const line = this.#lines.get(job.tenantId);
    if (!line) return;
    line.jobs.splice(line.jobs.indexOf(job), 1);
    line.served = this.#now();
    if (line.jobs.length === 0) this.#lines.delete(job.tenantId);
  }

  #next(): Waiting | undefined {
    if (this.#turn) return this.#turn;
    const now = this.#now();
    const heads = [...this.#lines].flatMap(([tenantId, { jobs, served }]) => {
      const [job] = jobs;
      if (!job) return [];
      const { priority, order, arrived } = job;
      return [{ tenantId, priority, order, since: Math.max(arrived, served), job }];
    });
    this.#turn = whoseTurn(heads, { now, use: (tenantId) => this.#ledger.useOf(tenantId, now) })?.job;
    return this.#turn;
  }

  #begin(job: QueuedJob): void {
    this.#running.set(job.name, job);
    this.#ledger.change(job.tenantId, job.wants.cpu, this.#now());
  }

  #fits(wants: Resources): boolean {
    let { cpu, memoryMiB } = this.#host;
    for (const { wants: used } of this.#running.values()) {
      cpu -= used.cpu;
      memoryMiB -= used.memoryMiB;
    }
    // Sums of fractions of a cpu are not exact.
    return wants.cpu <= cpu + 1e-9 && wants.memoryMiB <= memoryMiB;
  }
}
