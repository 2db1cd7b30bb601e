import { there } from '../../aws/recovery-cloud.ts';
import { anAttempt, aRun } from '../../fixtures/records.ts';
import { openBackups } from './backup-bench.ts';

export type Bench = ReturnType<typeof openBackups>;

/** Two regions in which a tenant was trained, a run is under way, and a point is on record. */
export async function aBackedUpService(): Promise<Bench & { readonly version: string }> {
  const backups = openBackups();
  const version = await backups.cloud.train(backups.ports, 'acme');
  await backups.hour();
  await backups.invoke('beatStores', {});
  await backups.ports.runs.createRun(aRun({ runId: 'acme-2026-11-24', status: 'running' }));
  await backups.ports.runs.createAttempt(anAttempt({ runId: 'acme-2026-11-24', status: 'running' }));
  backups.cloud.followDatabase();
  return { ...backups, version };
}

/** Restored stores in the other region. */
export const restored = ({ cloud }: Bench) => ({
  databases: [...cloud.rds.region(there).instances.keys()],
  tables: [...cloud.tablesThere.made.keys()],
});

/** Items whose partition or sort key begins so are not in what is restored; all of them where it is empty. */
export function emptied({ cloud }: Bench, key: string): void {
  cloud.tablesThere.onRestored = ({ table }) => {
    for (const item of table.all()) {
      const { pk, sk } = item as Record<'pk' | 'sk', { readonly S: string }>;
      if (pk.S.startsWith(key) || sk.S.startsWith(key)) table.remove({ pk, sk }, {})();
    }
  };
}

export function lose({ cloud }: Bench, ending: string): void {
  for (const uri of [...cloud.replica.keys()]) if (uri.endsWith(ending)) cloud.replica.delete(uri);
}
