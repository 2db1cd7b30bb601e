import type { Machine } from '../machines/machine.ts';
import { checkLogicalDate } from './nights/logical-date.ts';
import { nightDate, nightInputSchema } from './nights/night-input.ts';
import { runInputSchema } from './run-input.ts';

/** Trains one tenant. */
export const tenantModelTraining: Machine = {
  key: 'tenant-model-training',
  summary: 'trains one tenant',
  input: runInputSchema,
  check: (input) => {
    const { logicalDate } = runInputSchema.parse(input);
    if (logicalDate !== undefined) checkLogicalDate(logicalDate);
  },
  startedBy: [{ machine: 'nightly-training' }],
  tenants: { tenant: 'required', does: 'trains one tenant' },
  manual: {},
  outcome: 'run',
};

/** Trains every tenant that is due. */
export const nightlyTraining: Machine = {
  key: 'nightly-training',
  summary: 'trains all tenants that are due',
  input: nightInputSchema,
  check: (input, now) => {
    nightDate(nightInputSchema.parse(input), now);
  },
  startedBy: [{ schedule: 'nightly-training' }],
  tenants: { tenant: 'refused', does: 'trains all due tenants', instead: tenantModelTraining.key },
  // An operator's night is intentional: it is never taken for a second delivery of the schedule.
  manual: { trigger: 'manual' },
  outcome: 'night',
};

/** State machines of training. */
export const trainingMachines: readonly Machine[] = [nightlyTraining, tenantModelTraining];
