import type { RestoreRecord } from '../../backup/cloud/records.ts';
import { judgeInstance, type Verdict } from '../../backup/cloud/resources.ts';
import { settingFaults, tableFaults } from '../../backup/cloud/restored-table.ts';
import type { Databases } from '../../ports/backup/database-service.ts';
import type { Tables } from '../../ports/backup/table-service.ts';
import type { Step } from './hold-step.ts';

/** What a restore waits for. */
export type RestorePart = 'database' | 'table';

/** Tags of everything that a restore makes. */
function restoreTags({ id, drill }: Pick<RestoreRecord, 'id' | 'drill'>, environment: string) {
  return { 'epsilon:environment': environment, 'epsilon:restore': id, 'epsilon:drill': String(drill) };
}

function databaseStep({ there, keyArn }: Databases, record: RestoreRecord, environment: string): Step {
  const { database: id } = record.target;
  const { keyArn: _, ...settings } = record.databaseSettings;
  return {
    resource: `${there.region}/db/${id}`,
    look: async (): Promise<Verdict> => {
      const found = await there.instance(id);
      const verdict = judgeInstance(found);
      if (verdict.state !== 'ready' || !found) return verdict;
      const faults = settingFaults(record.databaseSettings, found.settings);
      return faults.length === 0
        ? verdict
        : { state: 'failed', because: `database ${id}: ${faults.join('; ')}` };
    },
    begin: () =>
      there.restore({
        from: record.databaseFrom,
        id,
        at: record.point,
        settings,
        secretKeyArn: keyArn,
        tags: restoreTags(record, environment),
      }),
  };
}

function tableStep(
  { name: from, there }: Tables,
  record: RestoreRecord,
  { keyArn, environment }: { readonly keyArn: string; readonly environment: string },
): Step {
  const { table: name } = record.target;
  return {
    resource: `${there.region}/table/${name}`,
    look: async (): Promise<Verdict> => {
      const found = await there.table(name);
      if (!found) return { state: 'absent' };
      if (found.status !== 'ACTIVE') return { state: 'waiting', because: `table ${name} is ${found.status}` };
      const faults = tableFaults(found, { drill: record.drill });
      if (faults.length === 0) return { state: 'ready' };
      const tags = restoreTags(record, environment);
      await there.protect(name, { deletionProtection: !record.drill, tags });
      return { state: 'waiting', because: `table ${name}: ${faults.join('; ')}` };
    },
    begin: () => there.restore({ from, name, at: record.point, keyArn }),
  };
}

/** One store of a restore. */
export function restoreStep(
  {
    databases,
    tables,
    environment,
  }: { readonly databases: Databases; readonly tables: Tables; readonly environment: string },
  part: RestorePart,
  record: RestoreRecord,
): Step {
  if (part === 'database') return databaseStep(databases, record, environment);
  return tableStep(tables, record, { keyArn: databases.keyArn, environment });
}
