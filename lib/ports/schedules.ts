/** One declared schedule. */
export interface ScheduleSummary {
  /** Name without environment prefix, as `nightly-training`. */
  readonly name: string;
  readonly expression: string;
  readonly timezone: string;
  readonly enabled: boolean;
  readonly next?: string;
  readonly previous?: string;
}

/** The declared schedules. `fire` delivers the schedule's own event, as the scheduler would at `scheduledTime`. */
export interface Schedules {
  list(): Promise<ScheduleSummary[]>;
  fire(name: string, scheduledTime: string): Promise<void>;
}
