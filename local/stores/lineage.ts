import { fenceFloor } from '../../lib/backup/recovery.ts';
import type { Tenure } from '../../lib/ports/backup/repository.ts';
import type { Database } from './database.ts';

/** Whose records these are, and how often they were restored. */
export function lineageOf(db: Database): Tenure {
  const row = db.get('SELECT lineage, epoch FROM lineage');
  return { lineage: String(row?.['lineage']), epoch: Number(row?.['epoch'] ?? 0) };
}

/** Number that every fence issued from now on is above. */
export function floorOf(db: Database): number {
  return fenceFloor(Number(db.get('SELECT epoch FROM lineage')?.['epoch'] ?? 0));
}
