import type { RestoreRecord } from '../../backup/cloud/records.ts';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';

type Needed = Pick<Ports, 'databases' | 'tables' | 'recoveryRecords'>;

/** Restores that are looked back at for drills that left something. */
const restoresBack = 50;

/** Removes what a drill restored, and nothing else. */
export async function removeDrill(ports: Needed, record: RestoreRecord): Promise<void> {
  if (!record.drill || record.state === 'removed') return;
  await required(ports.databases).there.removeInstance(record.target.database);
  await required(ports.tables).there.remove(record.target.table);
  await ports.recoveryRecords.put({ ...record, state: 'removed' });
}

/** Removes what drills left that broke off. */
export async function removeDrills(ports: Needed): Promise<void> {
  for (const record of await ports.recoveryRecords.newest('restore', restoresBack))
    await removeDrill(ports, record);
}
