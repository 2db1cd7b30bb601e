/** The newest datapoints of replication; one that is missing is absent. */
export interface ReplicationFigures {
  readonly latencySeconds?: number;
  readonly pendingOperations?: number;
  readonly pendingBytes?: number;
  readonly failedOperations?: number;
}

/** Seconds that Replication Time Control promises. */
const promisedSeconds = 900;

/**
 * What is wrong with the replication of objects. The heartbeat writes an object every minute, so figures never have to be missing; that
 * no operation failed is counted only when there are others, so its absence beside them is not a fault.
 */
export function replicationFaults(figures: ReplicationFigures): string[] {
  const { latencySeconds, pendingOperations, failedOperations } = figures;
  const faults: string[] = [];
  if (latencySeconds === undefined || pendingOperations === undefined)
    faults.push('replication of objects has no datapoints');
  if (latencySeconds !== undefined && latencySeconds > promisedSeconds)
    faults.push(
      `replication of objects is ${Math.round(latencySeconds)} s behind, above ${promisedSeconds} s`,
    );
  if (failedOperations !== undefined && failedOperations > 0)
    faults.push(`replication of ${failedOperations} objects failed`);
  return faults;
}
