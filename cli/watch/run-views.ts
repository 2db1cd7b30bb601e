import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { type JobProgress, parseProgress, progressObject } from '../../lib/training/attempts/job-progress.ts';
import type { Attempt, Run } from '../../lib/training/run.ts';

/** Milliseconds between two looks at how far a job is; jobs write it no more often (workload/job/progress.ts). */
const progressInterval = 5_000;

/** How far a stage is, and how far it was when it was first seen. */
export interface StageProgress {
  readonly first: JobProgress;
  readonly now: JobProgress;
}

/** How one tenant's run stands, for people who watch. */
export interface RunView {
  readonly run: Run;
  readonly attempts: readonly Attempt[];
  /** By the name of the job. */
  readonly progress: ReadonlyMap<string, StageProgress>;
}

/** Looks at runs that are being watched; what has ended is not asked for again. */
export class Views {
  readonly #control: OperatorApi;
  readonly #ended = new Map<string, RunView>();
  readonly #progress = new Map<string, StageProgress>();
  readonly #lookedAt = new Map<string, number>();

  constructor(control: OperatorApi) {
    this.#control = control;
  }

  /** Runs with their attempts, by tenant; `now` in milliseconds since the Unix epoch. */
  of(runs: readonly Run[], now: number): Promise<RunView[]> {
    const ordered = [...runs].sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
    return Promise.all(ordered.map((run) => this.#view(run, now)));
  }

  async #view(run: Run, now: number): Promise<RunView> {
    const key = `${run.runId} ${run.redriveCount} ${run.status}`;
    const before = this.#ended.get(key);
    if (before) return before;
    const attempts = await this.#control.runs.listAttempts(run.runId);
    const running = attempts.filter(({ status, settledAt }) => status === 'running' && !settledAt);
    await Promise.all(running.map((attempt) => this.#look(attempt, now)));
    const view = { run, attempts, progress: this.#progress };
    if (run.status !== 'running') this.#ended.set(key, view);
    return view;
  }

  async #look({ jobName, outputUri }: Attempt, now: number): Promise<void> {
    if (now < (this.#lookedAt.get(jobName) ?? Number.NEGATIVE_INFINITY) + progressInterval) return;
    this.#lookedAt.set(jobName, now);
    try {
      const body = await this.#control.objects.get(`${outputUri}${progressObject}`);
      const said = parseProgress(Buffer.from(body).toString('utf8'));
      if (!said) return;
      this.#progress.set(jobName, { first: this.#progress.get(jobName)?.first ?? said, now: said });
    } catch {
      // A job need not say how far it is.
    }
  }
}
