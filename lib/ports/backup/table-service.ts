import type { ContinuousBackup } from '../../backup/cloud/resources.ts';
import type { RestoredTable } from '../../backup/cloud/restored-table.ts';

/** The service that holds the table, in one region. Errors: `ResourceBusy`. */
export interface TableService {
  readonly region: string;
  /** Backups of a table to any second; undefined when there is no such table. */
  continuousBackup(table: string): Promise<ContinuousBackup | undefined>;
  /** Undefined when there is none. */
  table(name: string): Promise<RestoredTable | undefined>;
}

/** The table of the environment in both regions. */
export interface Tables {
  /** Name of the one that is live; its replica has the same. */
  readonly name: string;
  readonly home: TableService;
  readonly there: TableService;
}
