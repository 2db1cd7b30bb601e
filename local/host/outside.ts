import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { Clock } from '../../lib/ports/clock.ts';

/** Milliseconds between two tries of what waits for something outside this process. */
const tryAgainMs = 1_000;

/** What may keep a control plane from going on without a fault of it or of its caller, and how it ends. */
const conditions = {
  DISK_FULL: {
    waits: 'Free some space; everything goes on by itself as soon as there is room.',
    over: 'there is room on the disk again',
  },
  DATABASE_LOCKED: {
    waits: 'Everything goes on by itself as soon as the other process lets go of it.',
    over: 'the database is free again',
  },
} as const;

/** Code of a condition. */
export type ConditionCode = keyof typeof conditions;

/** The codes of all conditions. */
export const conditionCodes = Object.keys(conditions) as [ConditionCode, ...ConditionCode[]];

/** What is true once a condition is over, for people. */
export const overText = (code: ConditionCode): string => conditions[code].over;

/** A condition that holds, in one or two sentences. */
export type Condition = Pick<Waiting, 'code' | 'text'>;

/** A condition that has begun, or the end of it. */
export interface Waiting {
  readonly code: ConditionCode;
  /** `begun`: the work waits; `over`: it goes on. */
  readonly phase: 'begun' | 'over';
  /** One or two sentences for people. */
  readonly text: string;
}

function codeOf(error: unknown): ConditionCode | undefined {
  if (error instanceof EpsilonError)
    return Object.hasOwn(conditions, error.code) ? (error.code as ConditionCode) : undefined;
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'DISK_FULL' : undefined;
}

/** Whether an error says no more than that something outside has to change first. */
export function isOutside(error: unknown): boolean {
  return codeOf(error) !== undefined;
}

/** How it is opened. */
export interface OutsideOptions {
  readonly clock: Clock;
  /** Is called once when a condition begins and once when it is over. */
  readonly report: (waiting: Waiting) => void;
  /** When it aborts, what waits ends with `INTERRUPTED`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Conditions outside this process that work waits for: a full disk, a database that another process holds locked. Whoever meets
 * one waits here and tries again each second; everybody else sees in one place what is waited for.
 */
export class OutsideConditions {
  readonly #options: OutsideOptions;
  /** Who waits, by condition; the first one's words stand for all. */
  readonly #waiting = new Map<ConditionCode, { readonly text: string; readonly who: Set<unknown> }>();
  readonly #pauses = new Set<() => void>();
  #closed = false;

  constructor(options: OutsideOptions) {
    this.#options = options;
    options.signal?.addEventListener('abort', () => this.#wake());
  }

  /** What is waited for. */
  waitingFor(): readonly Condition[] {
    return [...this.#waiting].map(([code, { text }]) => ({ code, text }));
  }

  /** Notes that `who` has met a condition; anything else than a condition is not noted. */
  met(who: unknown, error: unknown): void {
    const code = codeOf(error);
    if (code === undefined) return;
    for (const other of this.#waiting.keys()) if (other !== code) this.#leave(other, who);
    const there = this.#waiting.get(code);
    if (there) {
      there.who.add(who);
      return;
    }
    const text = `${(error as Error).message} ${conditions[code].waits}`;
    this.#waiting.set(code, { text, who: new Set([who]) });
    this.#options.report({ code, phase: 'begun', text });
  }

  /** Notes that `who` went on. */
  over(who: unknown): void {
    for (const code of [...this.#waiting.keys()]) this.#leave(code, who);
  }

  /** Does `work` until it meets no condition any more; its other errors are passed on. */
  async waitOut<T>(work: () => T | Promise<T>): Promise<T> {
    const who = Symbol('work');
    try {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!isOutside(error) || this.#closed) throw error;
          this.met(who, error);
          await this.#pause();
          this.#checkSignal(error);
        }
      }
    } finally {
      this.over(who);
    }
  }

  /** An object whose methods wait conditions out; only such as do all or nothing may be given. */
  patient<T extends object>(given: T): T {
    return new Proxy(given, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const call = () => value.apply(target, args) as unknown;
          const first = call();
          if (!(first instanceof Promise)) return first;
          let tried = false;
          return this.waitOut(() => {
            const result = tried ? call() : first;
            tried = true;
            return result;
          });
        };
      },
    });
  }

  /** Lets go of everybody who waits: each ends with the error that made it wait. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #leave(code: ConditionCode, who: unknown): void {
    const there = this.#waiting.get(code);
    if (!there?.who.delete(who) || there.who.size > 0) return;
    this.#waiting.delete(code);
    this.#options.report({ code, phase: 'over', text: overText(code) });
  }

  #checkSignal(error: unknown): void {
    if (!this.#options.signal?.aborted) return;
    throw new EpsilonError(
      'INTERRUPTED',
      `Stopped while waiting: ${(error as Error).message} Nothing is lost; run the same command again.`,
      { exitCode: exitCodes.interrupted, cause: error },
    );
  }

  #wake(): void {
    for (const end of [...this.#pauses]) end();
  }

  async #pause(): Promise<void> {
    if (this.#closed || this.#options.signal?.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(tryAgainMs, resolve);
    this.#pauses.add(resolve);
    await promise;
    timer.cancel();
    this.#pauses.delete(resolve);
  }
}
