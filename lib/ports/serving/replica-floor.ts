/** The least number of replicas that was set, and until when. */
export interface Floor {
  readonly minReplicas: number;
  /** ISO 8601: when the last raise was, when what is set ends by itself, and why it was set; absent where nobody of us set it. */
  readonly raisedAt?: string;
  readonly expiresAt?: string;
  readonly because?: string;
}

/** The least number of replicas of the service that answers users. */
export interface ReplicaFloor {
  /** What is set; undefined where there is no autoscaler to set it for. */
  current(): Promise<Floor | undefined>;
  /** Replaces what is set, as a whole; nothing else of the autoscaler changes. `AUTOSCALER_NOT_FOUND`. */
  set(floor: Floor): Promise<void>;
}
