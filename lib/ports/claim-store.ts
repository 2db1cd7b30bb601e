/** Once-only delivery of schedules: `CLAIM#machine / scheduledTime`. */
export interface ClaimStore {
  /** Claims for `holder`, or returns who holds it; claiming again as the same holder succeeds. */
  claim(request: {
    machine: string;
    scheduledTime: string;
    holder: string;
    now: string;
  }): Promise<{ readonly claimed: boolean; readonly holder: string }>;
}
