import type { Machine } from '../machines/machine.ts';
import { checkInputSchema } from './check-input.ts';

/** Judges the data of every tenant. */
export const dataQualityCheck: Machine = {
  key: 'data-quality-check',
  summary: "checks all tenants' data for what is missing, stale or unusual",
  input: checkInputSchema,
  check: () => {},
  startedBy: [{ schedule: 'data-quality-check' }],
  tenants: { tenant: 'unused' },
  manual: { trigger: 'manual' },
  outcome: 'execution',
};

/** State machines of data quality. */
export const qualityMachines: readonly Machine[] = [dataQualityCheck];
