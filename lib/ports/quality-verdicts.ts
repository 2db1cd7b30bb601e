import type { QualityVerdict } from '../quality/verdict.ts';

/** Newest quality verdict of each tenant: `TENANT#id / VERDICT`. */
export interface QualityVerdicts {
  latest(tenantId: string): Promise<QualityVerdict | undefined>;
  /** Keeps the verdict unless one that was checked later is on record. */
  record(verdict: QualityVerdict): Promise<void>;
}
