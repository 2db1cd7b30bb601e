import { z } from 'zod';
import type { Machine } from '../machines/machine.ts';

/** Decides how many replicas should be there before demand is. */
const autoscaling: Machine = {
  key: 'autoscaling',
  summary: 'forecasts load and decides the least number of replicas',
  input: z.object({
    /** ISO 8601 instant; what the schedule puts in. */
    scheduledTime: z.string().optional(),
    /** Decides and sets nothing, whatever the settings say. */
    dryRun: z.boolean().optional(),
    trigger: z.enum(['schedule', 'manual']).optional(),
  }),
  check: () => {},
  startedBy: [{ schedule: 'autoscaling' }],
  tenants: { tenant: 'unused' },
  manual: { trigger: 'manual' },
  outcome: 'execution',
};

/** State machines of scaling. */
export const scalingMachines: readonly Machine[] = [autoscaling];
