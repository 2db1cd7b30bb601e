import type { OperatorApi } from '../lib/ports/operator-api.ts';
import type { Attempt, Run } from '../lib/training/run.ts';
import { stageNames } from '../lib/training/stages.ts';
import { causeText, type Output, seconds } from './output.ts';

/** How one tenant's run stands, for people who watch. */
export interface RunView {
  readonly run: Run;
  readonly attempts: readonly Attempt[];
}

/** Looks at runs that are being watched; what has ended is not asked for again. */
export class Views {
  readonly #control: OperatorApi;
  readonly #ended = new Map<string, RunView>();

  constructor(control: OperatorApi) {
    this.#control = control;
  }

  /** Runs with their attempts, by tenant. */
  of(runs: readonly Run[]): Promise<RunView[]> {
    const ordered = [...runs].sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
    return Promise.all(ordered.map((run) => this.#view(run)));
  }

  async #view(run: Run): Promise<RunView> {
    const key = `${run.runId} ${run.redriveCount} ${run.status}`;
    const before = this.#ended.get(key);
    if (before) return before;
    const view = { run, attempts: await this.#control.runs.listAttempts(run.runId) };
    if (run.status !== 'running') this.#ended.set(key, view);
    return view;
  }
}

const marks: Readonly<Record<string, string>> = {
  succeeded: '■',
  running: '▶',
  submitted: '·',
  intent: '·',
  failed: '✗',
  rejected: '✗',
  preempted: '↻',
  lost: '↻',
  cancelled: '✗',
};

/** One character a stage: done, under way, waiting, failed. */
function bar({ attempts }: RunView): string {
  return stageNames
    .map((stage) => marks[attempts.findLast((attempt) => attempt.stage === stage)?.status ?? ''] ?? '□')
    .join('');
}

function activity({ run, attempts }: RunView, now: number): string {
  if (run.status !== 'running')
    return run.status === 'succeeded'
      ? 'done'
      : `${run.status}${run.cause ? `: ${causeText(run.cause).split('\n')[0]}` : ''}`;
  const open = attempts.filter((attempt) => attempt.settledAt === undefined);
  if (open.length === 0) return 'between stages';
  return open
    .map((attempt) => {
      const since = Date.parse(attempt.startedAt ?? attempt.intentAt);
      const queued =
        attempt.status === 'intent' || attempt.status === 'submitted'
          ? ' waits for capacity of this host'
          : '';
      return `${attempt.stage}${attempt.attempt > 1 ? ` (attempt ${attempt.attempt})` : ''}${queued} ${seconds(Math.max(0, now - since))}`;
    })
    .join(', ');
}

function changeOf({ run, attempts }: RunView): string {
  const latest = attempts.map((attempt) => `${attempt.stage}#${attempt.attempt}:${attempt.status}`).join(' ');
  return `${run.status} ${latest}`;
}

/** Live progress: redrawn in place on a terminal, one line per change elsewhere, nothing with --json. */
export class Progress {
  readonly #output: Output;
  readonly #seen = new Map<string, string>();
  #drawn = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  show(views: readonly RunView[], elapsedMs: number, now: number): void {
    if (this.#output.json) return;
    if (this.#output.terminal) this.#redraw(views, elapsedMs, now);
    else this.#lines(views, elapsedMs);
  }

  #redraw(views: readonly RunView[], elapsedMs: number, now: number): void {
    const lines = [
      ...views.map((view) => `  ${bar(view)}  ${view.run.tenantId.padEnd(16)} ${activity(view, now)}`),
      `  ${seconds(elapsedMs)}`,
    ];
    const fitted = lines.map((line) => line.slice(0, Math.max(20, (this.#output.columns ?? 80) - 1)));
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : '';
    this.#output.write(`${up}${fitted.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[J`);
    this.#drawn = fitted.length;
  }

  #lines(views: readonly RunView[], elapsedMs: number): void {
    for (const view of views) {
      const change = changeOf(view);
      if (this.#seen.get(view.run.runId) === change) continue;
      this.#seen.set(view.run.runId, change);
      const latest = view.attempts.at(-1);
      const what =
        view.run.status === 'running' && latest
          ? `${latest.stage} (attempt ${latest.attempt}) ${latest.status}`
          : `${view.run.status}${view.run.cause ? `: ${causeText(view.run.cause)}` : ''}`;
      this.#output.write(`${seconds(elapsedMs).padStart(7)}  ${bar(view)}  ${view.run.tenantId}: ${what}\n`);
    }
  }
}
