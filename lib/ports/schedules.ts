/** One declared schedule. */
export interface ScheduleSummary {
  /** Name without environment prefix, as `nightly-training`. */
  readonly name: string;
  readonly expression: string;
  readonly timezone: string;
  /** It delivers by itself. */
  readonly enabled: boolean;
  /** An operator paused it. On AWS every schedule that is disabled counts as paused. */
  readonly paused: boolean;
  readonly next?: string;
  readonly previous?: string;
}

/**
 * The declared schedules. `fire` delivers the schedule's own event, as the scheduler would at `scheduledTime`, also of a paused
 * one. `pause` lasts until `resume`, also over restarts; both may be said twice. What falls due meanwhile is not delivered, neither
 * then nor on `resume`; a delivery that is being tried goes on. Errors: `SCHEDULE_NOT_FOUND`; `SCHEDULE_OFF` when the declaration
 * itself turns a schedule off, which no operator can resume.
 */
export interface Schedules {
  list(): Promise<ScheduleSummary[]>;
  fire(name: string, scheduledTime: string): Promise<void>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
}
