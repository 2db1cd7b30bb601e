import type { Clock, Timer } from '../../lib/ports/clock.ts';
import type { Log } from '../../lib/ports/services.ts';
import type { ServiceSchedule } from '../service/service.ts';
import type { ScheduleCursors } from '../stores/local-stores.ts';
import { type Occurrences, parseSchedule } from './expression.ts';

/** What the scheduler is made of. */
export interface SchedulerOptions {
  readonly schedules: readonly ServiceSchedule[];
  readonly clock: Clock;
  readonly cursors: ScheduleCursors;
  readonly log: Log;
  /** Delivers one event; resolves when the target has accepted it. */
  readonly deliver: (schedule: ServiceSchedule, input: unknown, scheduledTime: string) => Promise<void>;
  readonly stage: string;
}

interface Entry {
  readonly schedule: ServiceSchedule;
  readonly occurrences: Occurrences;
  timer?: Timer;
  busy: boolean;
}

/** Longest a timer sleeps: the wall clock may be set meanwhile. */
const longestSleep = 60_000;

/** Fills the placeholders of a schedule's input, as EventBridge Scheduler does. */
export function inputOf(schedule: ServiceSchedule, scheduledTime: string, stage: string): unknown {
  const values: Readonly<Record<string, string>> = {
    'scheduled-time': scheduledTime.replace(/\.\d{3}Z$/, 'Z'),
    'schedule-arn': `arn:aws:scheduler:local:000000000000:schedule/default/epsilon-${stage}-${schedule.name}`,
    'execution-id': `${schedule.name}-${scheduledTime}`,
    'attempt-number': '1',
  };
  return JSON.parse(
    schedule.input.replace(/<aws\.scheduler\.([a-z-]+)>/g, (whole, name: string) => values[name] ?? whole),
  );
}

/**
 * The in-process scheduler: at least once, never overlapping itself. What fell due while nothing ran is caught up with
 * its latest occurrence only, if that is younger than the schedule's maximum event age: never a burst.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #entries: readonly Entry[];
  #closed = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#entries = options.schedules.map((schedule) => ({
      schedule,
      occurrences: parseSchedule(schedule.expression, schedule.timezone),
      busy: false,
    }));
  }

  /** Starts waiting for every enabled schedule. */
  start(): void {
    for (const entry of this.#entries) if (entry.schedule.enabled) this.#arm(entry);
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#entries) entry.timer?.cancel();
  }

  list(): {
    readonly schedule: ServiceSchedule;
    readonly next: Date | undefined;
    readonly previous: Date | undefined;
  }[] {
    const now = new Date(this.#options.clock.now());
    return this.#entries.map(({ schedule, occurrences }) => ({
      schedule,
      next: occurrences.next(now),
      previous: occurrences.previous(now),
    }));
  }

  /** Delivers a schedule's own event for an instant, now. */
  async fire(entryName: string, scheduledTime: string): Promise<boolean> {
    const entry = this.#entries.find(({ schedule }) => schedule.name === entryName);
    if (!entry) return false;
    await this.#deliver(entry.schedule, scheduledTime);
    return true;
  }

  #arm(entry: Entry): void {
    if (this.#closed) return;
    const now = this.#options.clock.now();
    const next = entry.occurrences.next(new Date(now));
    const wait = next ? Math.min(next.getTime() - now, longestSleep) : longestSleep;
    entry.timer = this.#options.clock.setTimer(wait, () => {
      this.#catchUp(entry).finally(() => this.#arm(entry));
    });
  }

  /** Delivers the latest occurrence that has not been delivered yet. */
  async #catchUp(entry: Entry): Promise<void> {
    const { schedule, occurrences } = entry;
    const now = this.#options.clock.now();
    const due = occurrences.previous(new Date(now));
    if (!due || entry.busy) return;
    entry.busy = true;
    try {
      const scheduledTime = due.toISOString();
      const last = await this.#options.cursors.get(schedule.name);
      if (last !== undefined && last >= scheduledTime) return;
      const fresh = now - due.getTime() <= schedule.maximumEventAgeSeconds * 1000;
      // A schedule that is new here begins with its next occurrence, not with one before it was known.
      if (fresh && last !== undefined) await this.#deliver(schedule, scheduledTime);
      await this.#options.cursors.set(schedule.name, scheduledTime);
    } catch (error) {
      this.#options.log.error('schedule not delivered', { schedule: schedule.name, error: String(error) });
    } finally {
      entry.busy = false;
    }
  }

  async #deliver(schedule: ServiceSchedule, scheduledTime: string): Promise<void> {
    this.#options.log.debug('schedule delivered', { schedule: schedule.name, scheduledTime });
    await this.#options.deliver(
      schedule,
      inputOf(schedule, scheduledTime, this.#options.stage),
      scheduledTime,
    );
  }

  /** Marks where each schedule stands, so that only occurrences after now are delivered; keeps marks that are there. */
  async begin(): Promise<void> {
    const now = new Date(this.#options.clock.now());
    for (const { schedule, occurrences } of this.#entries) {
      const known = await this.#options.cursors.get(schedule.name);
      const latest = occurrences.previous(now);
      if (known === undefined && latest) await this.#options.cursors.set(schedule.name, latest.toISOString());
    }
  }
}
