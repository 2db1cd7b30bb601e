import { detailTypes, eventDetail } from '../lib/event-schemas/detail.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { EventPublisher, OutgoingEvent } from '../lib/ports/event-publisher.ts';
import type { Log } from '../lib/ports/log.ts';
import type { Random } from '../lib/ports/random.ts';
import { isOver } from '../lib/training/attempts/job.ts';
import type { Report } from './job-table.ts';
import type { WatcherFigures } from './metrics.ts';

/** Entries of one PutEvents. */
const batchSize = 10;

/** Calls at a time: five thousand jobs that end together are published within a second. */
const callsAtOnce = 16;

/** Milliseconds of the longest pause after the bus refused. */
const longestPause = 30_000;

/** Longest message of a report; Kubernetes' own can be long. */
const longestMessage = 1_000;

/** What an outbox is made of. */
export interface OutboxOptions {
  readonly publisher: EventPublisher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly figures: WatcherFigures;
}

/** A report as the event that completeJob reads. */
function eventOf({ facts, observation }: Report): OutgoingEvent {
  const { tenantId, runId, logicalDate, traceId, stage, attempt } = facts;
  const { message, ...rest } = observation;
  const said = message === undefined ? {} : { message: message.slice(0, longestMessage) };
  return {
    source: 'epsilon.jobs',
    detailType: detailTypes.jobStateChange,
    detail: eventDetail({ tenantId, runId, logicalDate, traceId }, { stage, attempt, ...rest, ...said }),
  };
}

/** Ends of jobs go first and are never given up; signs of life are dropped when the bus does not take them. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #ends: OutgoingEvent[] = [];
  readonly #signs: OutgoingEvent[] = [];
  #calls = 0;
  #failures = 0;
  #heldBack = false;
  #idle: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Events that wait to be published or are being published. */
  get waiting(): number {
    return this.#ends.length + this.#signs.length + this.#calls;
  }

  /** Takes a report on; it leaves with the next call. */
  add(report: Report): void {
    const { state } = report.observation;
    (isOver(state) ? this.#ends : this.#signs).push(eventOf(report));
    // In a moment, so that what comes in the same turn shares a call.
    setImmediate(() => this.#send());
  }

  /** Resolves when everything was published, or `limitMs` is over. */
  async flush(limitMs: number): Promise<void> {
    if (this.waiting === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(limitMs, resolve);
      this.#idle.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #send(): void {
    while (this.#calls < callsAtOnce && !this.#heldBack) {
      const events = this.#ends.splice(0, batchSize);
      const ends = events.length;
      events.push(...this.#signs.splice(0, batchSize - ends));
      if (events.length === 0) break;
      this.#calls += 1;
      void this.#publish(events, ends);
    }
    if (this.waiting === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  async #publish(events: OutgoingEvent[], ends: number): Promise<void> {
    const { publisher, figures, log } = this.#options;
    try {
      await publisher.publish(events);
      this.#failures = 0;
      figures.count('epsilon_watcher_events_total', { kind: 'end' }, ends);
      figures.count('epsilon_watcher_events_total', { kind: 'sign' }, events.length - ends);
    } catch (error) {
      this.#ends.unshift(...events.slice(0, ends));
      this.#failures += 1;
      figures.count('epsilon_watcher_publish_failures_total');
      log.warn('bus did not take events', { ends, dropped: events.length - ends, error: String(error) });
      this.#pauseSending();
    } finally {
      this.#calls -= 1;
      this.#send();
    }
  }

  #pauseSending(): void {
    if (this.#heldBack) return;
    const { clock, random } = this.#options;
    this.#heldBack = true;
    clock.setTimer(250 + random() * Math.min(longestPause, 500 * 2 ** this.#failures), () => {
      this.#heldBack = false;
      this.#send();
    });
  }
}
