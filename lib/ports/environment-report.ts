/** What the service declares and so must be found. */
export interface Declared {
  readonly machines: readonly string[];
  readonly schedules: readonly string[];
}

/** How a deployed environment stands. */
export interface EnvironmentReport {
  readonly environment: string;
  readonly region: string;
  readonly accountId: string;
  readonly machines: number;
  readonly schedules: number;
  readonly parameters: number;
  /** A sentence each; none when everything is there. */
  readonly faults: readonly string[];
}
