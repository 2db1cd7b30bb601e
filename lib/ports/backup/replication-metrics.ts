import type { ReplicationFigures } from '../../backup/cloud/replication.ts';

/** How the replication of objects to the other region stands. */
export interface ReplicationMetrics {
  /**
   * The newest figures of a time (milliseconds): latency and what is pending as the destination's region counts them, failures as the
   * source's does. What has no datapoint is absent, which is not zero.
   */
  figures(from: number, until: number): Promise<ReplicationFigures>;
}
