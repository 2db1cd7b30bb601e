/** A version of a state machine and the share of new executions that it gets, in percent. */
export interface RoutedVersion {
  readonly versionArn: string;
  readonly weight: number;
}

/** Which version of a state machine new executions get. */
export interface VersionRouting {
  /** What the machine's alias starts, the older version first; one while no deploy moves it, none where there is no alias. */
  current(machine: string): Promise<readonly RoutedVersion[]>;
  /** Gives all new executions of the machine to one version. */
  route(machine: string, versionArn: string): Promise<void>;
}
