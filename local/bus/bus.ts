import { AsyncLocalStorage } from 'node:async_hooks';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { type Clock, isoNow, type Timer } from '../../lib/ports/clock.ts';
import type { IdSource } from '../../lib/ports/id-source.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { RuleTarget, ServiceRule, TargetRef } from '../declaration/declarations.ts';
import { type BusEvent, checkEntry, type EventEntry } from './envelope.ts';
import { compilePattern, type Matches } from './pattern.ts';
import { targetInputOf } from './target-input.ts';

export type { BusEvent, EventEntry } from './envelope.ts';

/** What the bus is made of. */
export interface EventBusOptions {
  readonly rules: readonly ServiceRule[];
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Log;
  /** Hands an event over; `input` is what the target's declaration makes of it (the event itself by default). */
  readonly deliver: (target: TargetRef, event: BusEvent, input: unknown) => Promise<void>;
  /** Keeps an event that no try could deliver. */
  readonly deadLetter: (event: BusEvent, target: TargetRef, error: unknown) => void;
  /** Sees every accepted event. */
  readonly archive?: (event: BusEvent) => void;
}

/** An entry's answer: the event's id, or the code and message of its refusal. */
export interface PutResult {
  readonly id?: string;
  readonly error?: string;
  readonly message?: string;
}

/** Pauses between tries: the first one, doubled each time up to the longest. Milliseconds. */
const firstPause = 200;
const longestPause = 60_000;

/** Events that were put during the delivery of one another; beyond this they are a loop (Lambda cuts at 16 too). */
const deepest = 16;

/** A delivery under way, to recognise events it puts itself. */
interface Delivering {
  readonly depth: number;
  active: boolean;
}

interface Attempt {
  readonly target: RuleTarget;
  readonly event: BusEvent;
  readonly depth: number;
  /** Milliseconds, when the event was accepted. */
  readonly since: number;
  readonly number: number;
}

/** The in-process event bus: rules, targets with their retry policies, dead letters. Never delivers before `put` returns. */
export class EventBus {
  readonly #options: EventBusOptions;
  readonly #rules: readonly { readonly rule: ServiceRule; readonly matches: Matches }[];
  readonly #delivering = new AsyncLocalStorage<Delivering>();
  readonly #waiting = new Map<Attempt, { readonly timer: Timer; readonly error: unknown }>();
  #underWay = 0;
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(options: EventBusOptions) {
    this.#options = options;
    this.#rules = options.rules
      .filter((rule) => rule.enabled)
      .map((rule) => ({ rule, matches: compilePattern(rule.pattern, rule.name) }));
  }

  /** Puts entries; each is accepted or refused by itself. Delivery goes on after this returns. */
  put(entries: readonly EventEntry[]): PutResult[] {
    const parent = this.#delivering.getStore();
    const depth = parent?.active ? parent.depth + 1 : 1;
    return entries.map((entry) => {
      try {
        checkEntry(entry);
        if (depth > deepest)
          throw new EpsilonError(
            'EVENT_LOOP',
            `Event: ${deepest} events have caused each other; this one is dropped.`,
          );
      } catch (error) {
        return this.#refusal(entry, error);
      }
      return { id: this.#accept(this.#envelope(entry), depth) };
    });
  }

  /** Deliveries under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Resolves when nothing is being delivered, having given up the tries that wait; the same as `close`. */
  async idle(): Promise<void> {
    await this.close();
  }

  /** Ends: tries that wait go to the dead letters now, deliveries under way are waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const [attempt, { timer, error }] of this.#waiting) {
      timer.cancel();
      this.#giveUp(attempt, error);
    }
    this.#waiting.clear();
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #refusal(entry: EventEntry, error: unknown): PutResult {
    if (!(error instanceof EpsilonError)) throw error;
    this.#options.log.warn('event refused', {
      detailType: String(entry?.detailType),
      error: error.code,
      reason: error.message,
    });
    return { error: error.code, message: error.message };
  }

  #envelope({ source, detailType, detail, resources = [], time }: EventEntry): BusEvent {
    return {
      version: '0',
      id: this.#options.ids.ulid(),
      source,
      'detail-type': detailType,
      account: '000000000000',
      region: 'local',
      time: time ?? isoNow(this.#options.clock),
      resources,
      // A copy: the sender may change its object later.
      detail: JSON.parse(JSON.stringify(detail)) as unknown,
    };
  }

  #accept(event: BusEvent, depth: number): string {
    this.#options.archive?.(event);
    const since = this.#options.clock.now();
    for (const { rule, matches } of this.#rules)
      if (matches(event))
        for (const target of rule.targets) this.#send({ target, event, depth, since, number: 1 });
    return event.id;
  }

  #send(attempt: Attempt): void {
    const { target, event, depth } = attempt;
    const delivering: Delivering = { depth, active: true };
    this.#underWay += 1;
    this.#delivering
      .run(delivering, async () => {
        await Promise.resolve();
        await this.#options.deliver(refOf(target), event, targetInputOf(target, event));
      })
      .catch((error: unknown) => this.#failed(attempt, error))
      .finally(() => {
        delivering.active = false;
        this.#underWay -= 1;
        if (this.#underWay > 0) return;
        for (const resolve of this.#idle.splice(0)) resolve();
      });
  }

  #failed(attempt: Attempt, error: unknown): void {
    const { target, number, since } = attempt;
    const pause = Math.min(firstPause * 2 ** (number - 1), longestPause);
    const age = (this.#options.clock.now() + pause - since) / 1000;
    const spent = number > target.maximumRetryAttempts || age > target.maximumEventAgeSeconds;
    if (spent || this.#closed) {
      this.#giveUp(attempt, error);
      return;
    }
    const timer = this.#options.clock.setTimer(pause, () => {
      this.#waiting.delete(attempt);
      this.#send({ ...attempt, number: number + 1 });
    });
    this.#waiting.set(attempt, { timer, error });
  }

  #giveUp({ target, event }: Attempt, error: unknown): void {
    this.#options.log.error('event not delivered', {
      target: target.key,
      detailType: event['detail-type'],
      error: String(error),
    });
    this.#options.deadLetter(event, refOf(target), error);
  }
}

function refOf({ kind, key }: RuleTarget): TargetRef {
  return { kind, key };
}
