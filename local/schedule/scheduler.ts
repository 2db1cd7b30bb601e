import type { Clock, Timer } from '../../lib/ports/clock.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { ServiceSchedule } from '../declaration/declarations.ts';
import { type Occurrences, parseSchedule } from './expression.ts';
import { fillInput } from './schedule-input.ts';

/** Where the scheduler got to with each schedule: ISO instant of the last occurrence that is dealt with. */
export interface ScheduleCursorStore {
  get(name: string): Promise<string | undefined>;
  set(name: string, scheduledTime: string): Promise<void>;
  /** Since when a schedule is paused; undefined when it is not. */
  pausedSince(name: string): Promise<string | undefined>;
  pause(name: string, at: string): Promise<void>;
  /** Ends the pause; everything up to `at` is dealt with then. */
  resume(name: string, at: string): Promise<void>;
}

/** What the scheduler is made of. */
export interface SchedulerOptions {
  readonly schedules: readonly ServiceSchedule[];
  readonly clock: Clock;
  readonly cursors: ScheduleCursorStore;
  readonly log: Log;
  /** Delivers one event; resolves when the target has accepted it. */
  readonly deliver: (schedule: ServiceSchedule, input: unknown, scheduledTime: string) => Promise<void>;
  /** Keeps what no try could deliver. */
  readonly deadLetter?: (
    schedule: ServiceSchedule,
    input: unknown,
    scheduledTime: string,
    error: unknown,
  ) => void;
  readonly environment: string;
}

/** One schedule as it stands now. */
interface ScheduleState {
  readonly schedule: ServiceSchedule;
  readonly paused: boolean;
  readonly next: Date | undefined;
  readonly previous: Date | undefined;
}

interface Entry {
  readonly schedule: ServiceSchedule;
  readonly occurrences: Occurrences;
  timer?: Timer;
}

/** Longest a timer sleeps: the wall clock may be set meanwhile. */
const longestSleep = 60_000;

/** Pauses between tries: the first one, doubled each time up to the longest. Milliseconds. */
const firstPause = 1_000;
const longestPause = 60_000;

/** A cursor further ahead of the clock than this was written by a clock that was wrong. */
const plausibleLead = 86_400_000;

/** Fills the placeholders of a schedule's input for one try. */
function scheduledInput(
  schedule: ServiceSchedule,
  scheduledTime: string,
  environment: string,
  attempt = 1,
): unknown {
  return fillInput(schedule.input, {
    scheduledTime,
    scheduleArn: `arn:aws:scheduler:local:000000000000:schedule/default/epsilon-${environment}-${schedule.name}`,
    executionId: `${schedule.name}-${scheduledTime}`,
    attempt,
  });
}

/**
 * The in-process scheduler: at least once, never overlapping itself; the cursor moves after delivery. What fell due
 * while nothing ran is caught up with its latest occurrence only, if that is younger than the schedule's maximum
 * event age: never a burst. Failed deliveries are repeated as the schedule's retry policy says, then dead-lettered.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #entries: readonly Entry[];
  readonly #since: number;
  /** Ends the pauses between tries when the scheduler closes. */
  readonly #pauses = new Set<() => void>();
  #closed = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#since = options.clock.now();
    this.#entries = options.schedules.map((schedule) => ({
      schedule,
      occurrences: parseSchedule(schedule.expression, schedule),
    }));
  }

  /** Starts waiting for every enabled schedule. */
  start(): void {
    for (const entry of this.#entries)
      if (entry.schedule.enabled) this.#wake(entry, this.#options.clock.now());
  }

  /** Stops; what is between two tries is delivered after the next start. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries) entry.timer?.cancel();
    for (const end of this.#pauses) end();
  }

  /** Every schedule with its neighbours in time; one that is disabled or paused has no next occurrence. */
  list(): Promise<ScheduleState[]> {
    const now = new Date(this.#options.clock.now());
    return Promise.all(
      this.#entries.map(async ({ schedule, occurrences }) => {
        const paused = (await this.#options.cursors.pausedSince(schedule.name)) !== undefined;
        return {
          schedule,
          paused,
          next: schedule.enabled && !paused ? occurrences.next(now) : undefined,
          previous: occurrences.previous(now),
        };
      }),
    );
  }

  /** Keeps a schedule from delivering, or lets it again, from now on and over restarts; false when there is no such schedule. */
  async setPaused(entryName: string, paused: boolean): Promise<boolean> {
    if (!this.#entries.some(({ schedule }) => schedule.name === entryName)) return false;
    const { cursors, clock } = this.#options;
    if (((await cursors.pausedSince(entryName)) !== undefined) === paused) return true;
    const at = new Date(clock.now()).toISOString();
    if (paused) await cursors.pause(entryName, at);
    else await cursors.resume(entryName, at);
    return true;
  }

  /** Delivers a schedule's own event for an instant, now and once; false when there is no such schedule. */
  async fire(entryName: string, scheduledTime: string): Promise<boolean> {
    const entry = this.#entries.find(({ schedule }) => schedule.name === entryName);
    if (!entry) return false;
    const { schedule } = entry;
    await this.#options.deliver(
      schedule,
      scheduledInput(schedule, scheduledTime, this.#options.environment),
      scheduledTime,
    );
    return true;
  }

  /** Marks where each schedule stands, so that only occurrences after now are delivered; keeps marks that are there. */
  async begin(): Promise<void> {
    for (const { schedule } of this.#entries) {
      const known = await this.#options.cursors.get(schedule.name);
      if (known === undefined)
        await this.#options.cursors.set(schedule.name, new Date(this.#since).toISOString());
    }
  }

  #wake(entry: Entry, at: number): void {
    if (this.#closed) return;
    const wait = Math.min(Math.max(0, at - this.#options.clock.now()), longestSleep);
    entry.timer = this.#options.clock.setTimer(wait, () => {
      void this.#catchUp(entry).then((dealtWith) => this.#wake(entry, this.#nextWake(entry, dealtWith)));
    });
  }

  /** The next occurrence; now, when one fell due while another was being dealt with. */
  #nextWake({ occurrences }: Entry, dealtWith: Date | undefined): number {
    const now = this.#options.clock.now();
    const latest = dealtWith && occurrences.previous(new Date(now));
    if (latest && latest > dealtWith) return now;
    return occurrences.next(new Date(now))?.getTime() ?? now + longestSleep;
  }

  /** Deals with the latest occurrence that has not been, and returns it; undefined when nothing moved on. Never rejects. */
  async #catchUp(entry: Entry): Promise<Date | undefined> {
    const { schedule } = entry;
    const { cursors, log } = this.#options;
    try {
      const due = await this.#latestDue(entry);
      if (due === undefined) return undefined;
      const scheduledTime = due.toISOString();
      if (this.#age(due.getTime()) > schedule.maximumEventAgeSeconds) {
        log.info('schedule occurrence too old', { schedule: schedule.name, scheduledTime });
      } else if (!(await this.#deliver(schedule, scheduledTime))) return undefined;
      await cursors.set(schedule.name, scheduledTime);
      return due;
    } catch (error) {
      // The cursor did not move: the next waking tries again.
      log.error('schedule not delivered', { schedule: schedule.name, error: String(error) });
      return undefined;
    }
  }

  async #latestDue({ schedule, occurrences }: Entry): Promise<Date | undefined> {
    const { cursors, clock, log } = this.#options;
    const now = clock.now();
    if ((await cursors.pausedSince(schedule.name)) !== undefined) return undefined;
    const mark = await cursors.get(schedule.name);
    let last = mark ?? new Date(this.#since).toISOString();
    if (Date.parse(last) > now + plausibleLead) {
      log.warn('schedule cursor is in the future', { schedule: schedule.name, cursor: last });
      last = new Date(now).toISOString();
      await cursors.set(schedule.name, last);
    }
    const due = occurrences.previous(new Date(now));
    return due && due.toISOString() > last ? due : undefined;
  }

  /** Seconds since an instant. */
  #age(instant: number): number {
    return (this.#options.clock.now() - instant) / 1000;
  }

  /** Tries until delivered or dead-lettered; false when the scheduler closed meanwhile. */
  async #deliver(schedule: ServiceSchedule, scheduledTime: string): Promise<boolean> {
    const { deliver, deadLetter, log, environment } = this.#options;
    for (let attempt = 1; !this.#closed; attempt += 1) {
      const input = scheduledInput(schedule, scheduledTime, environment, attempt);
      try {
        await deliver(schedule, input, scheduledTime);
        log.debug('schedule delivered', { schedule: schedule.name, scheduledTime, attempt });
        return true;
      } catch (error) {
        const pause = Math.min(firstPause * 2 ** (attempt - 1), longestPause);
        const age = this.#age(Date.parse(scheduledTime)) + pause / 1000;
        log.warn('schedule delivery failed', { schedule: schedule.name, attempt, error: String(error) });
        if (attempt > schedule.maximumRetryAttempts || age > schedule.maximumEventAgeSeconds) {
          log.error('schedule not delivered', { schedule: schedule.name, scheduledTime, attempts: attempt });
          deadLetter?.(schedule, input, scheduledTime, error);
          return true;
        }
        await this.#pause(pause);
      }
    }
    return false;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(ms, resolve);
    this.#pauses.add(resolve);
    await promise;
    timer.cancel();
    this.#pauses.delete(resolve);
  }
}
