import type { Machine } from '../machines/machine.ts';
import { backupInputSchema } from './cloud/inputs.ts';

/** Finds out what could be restored, and keeps the day's snapshot in two regions. */
const backup: Machine = {
  key: 'backup',
  summary: 'records what could be restored in the other region and keeps the snapshots',
  input: backupInputSchema,
  check: () => {},
  startedBy: [{ schedule: 'backup' }],
  tenants: { tenant: 'unused' },
  manual: { trigger: 'manual' },
  outcome: 'execution',
};

/** State machines of backups. */
export const backupMachines: readonly Machine[] = [backup];
