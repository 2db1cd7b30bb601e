import { EpsilonError } from '../errors/epsilon-error.ts';
import type { Machine } from '../machines/machine.ts';
import { backupInputSchema, restoreInputSchema } from './cloud/inputs.ts';
import { instantOf, newest } from './points.ts';

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

/** Restores into the other region under new names, and verifies; a second execution promotes what was approved. */
const restore: Machine = {
  key: 'restore',
  summary: 'restores a moment into the other region, or promotes what was approved',
  startedWith: 'restore',
  input: restoreInputSchema,
  check: ({ to, id, approve }) => {
    if ((approve === undefined) !== (id === undefined) || (to === undefined) === (id === undefined))
      throw new EpsilonError(
        'INPUT_INVALID',
        'Input of restore: either "to" (newest, or an instant with a zone), or "id" and "approve" of one that was verified.',
      );
    if (typeof to === 'string' && to !== newest) instantOf(to);
  },
  startedBy: [],
  tenants: { tenant: 'unused' },
  manual: { trigger: 'manual' },
  outcome: 'execution',
};

/** Restores the newest moment in isolation, verifies and removes it. */
const restoreDrill: Machine = {
  key: 'restore-drill',
  summary: 'proves a restore in the other region, and removes what it restored',
  input: backupInputSchema,
  check: () => {},
  startedBy: [{ schedule: 'restore-drill' }],
  tenants: { tenant: 'unused' },
  manual: { trigger: 'manual' },
  outcome: 'execution',
};

/** Takes off records whose time is over, and objects that no moment which can be restored names. */
const retention: Machine = {
  key: 'retention',
  summary: 'removes records and objects whose time is over, as the retention policy says',
  input: backupInputSchema,
  check: () => {},
  startedBy: [{ schedule: 'retention' }],
  tenants: { tenant: 'unused' },
  manual: { trigger: 'manual' },
  outcome: 'execution',
};

/** State machines of backups. */
export const backupMachines: readonly Machine[] = [backup, restore, restoreDrill, retention];
