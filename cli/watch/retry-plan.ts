import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attempt } from '../../lib/training/run.ts';
import { jobKinds } from '../../lib/training/stages.ts';

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: string;
}

/** What follows a failed attempt. */
export interface NextTry {
  /** Milliseconds since the Unix epoch; the latest moment where the pause is drawn by lot. */
  readonly at: number;
  /** The pause is drawn by lot, up to `at`. */
  readonly latest: boolean;
  /** Tries that are left, with this one. */
  readonly left: number;
}

/** Retriers of a state, wherever it is in the definition. */
function retriersIn(value: unknown, state: string): readonly Retrier[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    if (key === state) return (child as { readonly Retry?: readonly Retrier[] }).Retry ?? [];
    const found = retriersIn(child, state);
    if (found) return found;
  }
  return undefined;
}

/** What the training machine does after a failed attempt, by its own definition. */
export class RetryPlan {
  readonly #projectDir: string;
  readonly #scale: number;
  #definition: unknown;

  /** `scale` is the factor on pauses that the engine was given; 1 on AWS. */
  constructor(projectDir: string, scale: number) {
    this.#projectDir = projectDir;
    this.#scale = scale;
  }

  /** The next try after an attempt that is over; undefined when there is none. */
  after(attempt: Attempt, attempts: readonly Attempt[]): NextTry | undefined {
    this.#definition ??= JSON.parse(
      readFileSync(join(this.#projectDir, 'statemachines', 'tenant-model-training.asl.json'), 'utf8'),
    );
    const all = retriersIn(this.#definition, jobKinds[attempt.stage].state) ?? [];
    const retrier = all.find(({ ErrorEquals }) => ErrorEquals.includes(attempt.error ?? ''));
    if (!retrier) return undefined;
    // A redrive begins to count again, and so does every retrier for itself.
    const spent = attempts.filter(
      (one) =>
        one.stage === attempt.stage &&
        one.redriveCount === attempt.redriveCount &&
        one.attempt <= attempt.attempt &&
        retrier.ErrorEquals.includes(one.error ?? ''),
    ).length;
    const { IntervalSeconds = 1, MaxAttempts = 3, BackoffRate = 2, MaxDelaySeconds = Infinity } = retrier;
    if (spent > MaxAttempts) return undefined;
    const pause = Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** (spent - 1));
    const since = Date.parse(attempt.settledAt ?? attempt.finishedAt ?? attempt.intentAt);
    return {
      at: since + pause * 1_000 * this.#scale,
      latest: retrier.JitterStrategy === 'FULL',
      left: MaxAttempts - spent + 1,
    };
  }
}
