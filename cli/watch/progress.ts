import { type Attempt, attemptName } from '../../lib/training/run.ts';
import { stageNames } from '../../lib/training/stages.ts';
import { causeText, type Output, plain, seconds } from '../output.ts';
import { folded } from '../prose.ts';
import type { NextTry, RetryPlan } from './retry-plan.ts';
import type { RunView, StageProgress } from './run-views.ts';

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

/** How an attempt can end without having succeeded. */
const failures: ReadonlySet<string> = new Set(['failed', 'rejected', 'preempted', 'lost', 'cancelled']);

/** Milliseconds between two lines of how far a stage is, where lines stay. */
const lineInterval = 30_000;

/** One character a stage: done, under way, waiting, failed. */
function bar({ attempts }: RunView): string {
  return stageNames
    .map((stage) => marks[attempts.findLast((attempt) => attempt.stage === stage)?.status ?? ''] ?? '□')
    .join('');
}

/** Minutes and seconds, as a clock that runs down shows them. */
function countdown(milliseconds: number): string {
  const total = Math.max(0, Math.ceil(milliseconds / 1_000));
  return `${Math.floor(total / 60)}:${String(total % 60).padStart(2, '0')}`;
}

/** What happens next, in words. */
function nextText(next: NextTry | undefined, now: number): string {
  if (!next) return 'is not tried again';
  return `tries again ${next.latest ? 'within' : 'in'} ${countdown(next.at - now)}, ${next.left} left`;
}

const count = (value: number) => new Intl.NumberFormat('en', { maximumFractionDigits: 1 }).format(value);

/** How far a stage is, and how long the rest takes at the pace since it was first seen (or since it began). */
function progressText({ first, now: said }: StageProgress, startedAt: number): string {
  const { done, total, unit } = said;
  if (total === undefined || total <= 0) return `${count(done)} ${unit}`;
  const share = `${Math.min(100, Math.floor((100 * done) / total))} % of ${count(total)} ${unit}`;
  const at = Date.parse(said.at);
  const [from, since] = first.done < done ? [first.done, Date.parse(first.at)] : [0, startedAt];
  const left = ((total - done) * (at - since)) / (done - from);
  if (!Number.isFinite(left) || left < 0 || at <= since) return share;
  return `${share}, about ${seconds(left)} left`;
}

/** One stage that is under way. */
function stageText(attempt: Attempt, view: RunView, now: number): string {
  const { stage, status, jobName } = attempt;
  const since = Date.parse(attempt.startedAt ?? attempt.intentAt);
  const queued = status === 'intent' || status === 'submitted' ? ' waits for capacity' : '';
  const far = view.progress.get(jobName);
  const name = `${stage}${attempt.attempt > 1 ? ` (attempt ${attempt.attempt})` : ''}`;
  return `${name}${queued} ${seconds(Math.max(0, now - since))}${far && !queued ? ` ${progressText(far, since)}` : ''}`;
}

/** The newest attempt of each stage. */
function newest({ attempts }: RunView): Attempt[] {
  return stageNames.flatMap((stage) => attempts.findLast((attempt) => attempt.stage === stage) ?? []);
}

function endText({ run }: RunView, told: boolean): string {
  if (run.status === 'succeeded') return 'done';
  return `${run.status}${run.cause && !told ? `: ${plain(causeText(run.cause))}` : ''}`;
}

/** What a progress display works with. */
export interface ProgressOptions {
  readonly output: Output;
  readonly plan: RetryPlan;
  /** Why an attempt failed, in its job's own words. */
  readonly lastWords: (attempt: Attempt) => Promise<string>;
  /** When the watching began, in milliseconds since the Unix epoch. */
  readonly began: number;
}

/**
 * Live progress: redrawn in place on a terminal, one line per change elsewhere, nothing with --json. A failed attempt is told
 * once, when it is seen, on lines that stay.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #seen = new Map<string, string>();
  readonly #said = new Map<string, number>();
  readonly #told = new Set<string>();
  #drawn = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Whether the failure that a run ended with has been told. */
  told(runId: string): boolean {
    return this.#told.has(runId);
  }

  async show(views: readonly RunView[], now: number): Promise<void> {
    const { output, began } = this.#options;
    if (output.json) return;
    const lines: string[] = [];
    for (const view of views) {
      if (!output.terminal) lines.push(...this.#changes(view, now));
      lines.push(...(await this.#failures(view, now)));
      if (!output.terminal) lines.push(...this.#end(view));
    }
    const clock = seconds(now - began).padStart(7);
    const kept = lines.map((line) => `${folded(`${clock}  ${line}`, output.columns)}\n`);
    if (output.terminal) this.#redraw(kept, views, now);
    else output.write(kept.join(''));
  }

  /** Failed attempts that were not told yet: those that ended while this was watched, or that a try still follows. */
  async #failures(view: RunView, now: number): Promise<string[]> {
    const { plan, lastWords, began } = this.#options;
    const lines: string[] = [];
    for (const attempt of view.attempts) {
      const name = attemptName(attempt);
      if (!failures.has(attempt.status) || this.#told.has(name)) continue;
      this.#told.add(name);
      const waits = view.run.status === 'running' && newest(view).includes(attempt);
      if (Date.parse(attempt.finishedAt ?? attempt.settledAt ?? attempt.intentAt) < began && !waits) continue;
      const { stage, status, error, exitCode, reason } = attempt;
      const code = [error, exitCode === undefined ? reason : `exit ${exitCode}`].filter(Boolean).join(', ');
      const next = status === 'cancelled' ? undefined : plan.after(attempt, view.attempts);
      // A run that was stopped has a reason of its own, and one that tries again may end otherwise.
      if (!next && status !== 'cancelled') this.#told.add(view.run.runId);
      lines.push(
        `✗ ${view.run.tenantId}: ${stage} attempt ${attempt.attempt} ${status}${code ? ` (${code})` : ''}: ${(await lastWords(attempt)).replace(/\.$/, '')}; ${nextText(next, now)}`,
      );
    }
    return lines;
  }

  #activity(view: RunView, now: number): string {
    const { plan } = this.#options;
    if (view.run.status !== 'running') return endText(view, this.told(view.run.runId));
    const parts = newest(view).flatMap((attempt) => {
      if (attempt.settledAt === undefined) return [stageText(attempt, view, now)];
      if (!failures.has(attempt.status) || attempt.status === 'cancelled') return [];
      const next = plan.after(attempt, view.attempts);
      return next ? [`${attempt.stage} ${nextText(next, now)}`] : [];
    });
    return parts.length === 0 ? 'between stages' : parts.join(', ');
  }

  #redraw(kept: readonly string[], views: readonly RunView[], now: number): void {
    const { output, began } = this.#options;
    const lines = [
      ...views.map((view) => `  ${bar(view)}  ${view.run.tenantId.padEnd(16)} ${this.#activity(view, now)}`),
      `  ${seconds(now - began)}`,
    ];
    const fitted = lines.map((line) => line.slice(0, Math.max(20, (output.columns ?? 80) - 1)));
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\u001b[J` : '';
    output.write(`${up}${kept.join('')}${fitted.map((line) => `${line}\n`).join('')}`);
    this.#drawn = fitted.length;
  }

  /** Every attempt that has moved, each on a line of its own, and how far those are that run for long. */
  #changes(view: RunView, now: number): string[] {
    const lines: string[] = [];
    for (const attempt of view.attempts) {
      const { stage, status, jobName, settledAt } = attempt;
      const name = attemptName(attempt);
      const first = !this.#seen.has(name);
      const moved = this.#seen.get(name) !== status;
      this.#seen.set(name, status);
      if (moved && !failures.has(status) && !(first && settledAt !== undefined && this.#isOld(attempt)))
        lines.push(`${bar(view)}  ${view.run.tenantId}: ${stage} (attempt ${attempt.attempt}) ${status}`);
      const far = view.progress.get(jobName);
      if (moved) this.#said.set(name, now);
      else if (status === 'running' && far && now >= (this.#said.get(name) ?? now) + lineInterval) {
        this.#said.set(name, now);
        lines.push(`${bar(view)}  ${view.run.tenantId}: ${stageText(attempt, view, now)}`);
      }
    }
    return lines;
  }

  #isOld({ finishedAt, settledAt }: Attempt): boolean {
    return Date.parse(finishedAt ?? settledAt ?? '') < this.#options.began;
  }

  /** How a run ended, once. */
  #end(view: RunView): string[] {
    const { runId, tenantId, status, redriveCount } = view.run;
    const end = `${redriveCount} ${status}`;
    if (this.#seen.get(runId) === end) return [];
    this.#seen.set(runId, end);
    if (status === 'running') return [];
    return [`${bar(view)}  ${tenantId}: ${endText(view, this.told(runId))}`];
  }
}
