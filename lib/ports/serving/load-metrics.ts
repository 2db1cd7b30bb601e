import type { Reading } from '../../scaling/hourly-series.ts';
import type { Usage } from '../../scaling/usage.ts';

/** Measured load of the service that answers users. */
export interface LoadMetrics {
  /**
   * Readings from an instant (milliseconds) up to, not including, another, oldest first. Empty where nothing was measured, or nothing is
   * configured that could be.
   */
  readings(from: number, until: number): Promise<Reading[]>;
  /** What the replicas used at these times, in the same way. */
  usage(from: number, until: number): Promise<Usage[]>;
}
