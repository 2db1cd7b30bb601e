import type { Reading } from '../../scaling/hourly-series.ts';

/** Measured load of the service that answers users. */
export interface LoadMetrics {
  /**
   * Readings from an instant (milliseconds) up to, not including, another, oldest first. Empty where nothing was measured, or nothing is
   * configured that could be.
   */
  readings(from: number, until: number): Promise<Reading[]>;
}
