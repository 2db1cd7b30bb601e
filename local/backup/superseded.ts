import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { Tenure } from '../../lib/ports/backup/repository.ts';
import { openForReading } from '../stores/read-only.ts';
import { FileBackupRepository } from './file-repository.ts';

/** Whose records a store keeps, whatever its version; undefined where that is not on record. */
function tenureIn(databases: string): Tenure | undefined {
  const file = join(databases, 'store.db');
  if (!existsSync(file)) return undefined;
  try {
    const db = openForReading(file);
    try {
      const row = db.prepare('SELECT lineage, epoch FROM lineage').get();
      return row ? { lineage: String(row['lineage']), epoch: Number(row['epoch']) } : undefined;
    } finally {
      db.close();
    }
  } catch {
    // Of an earlier version, or damaged, which whoever opens it next says better.
    return undefined;
  }
}

/**
 * Refuses to write records that were restored to another place since: both would train and promote. The repository of the state
 * directory knows; where it is gone or is another's, nothing is known. `STATE_SUPERSEDED`.
 */
export async function refuseSuperseded(databases: string, folder: string): Promise<void> {
  const own = tenureIn(databases);
  if (!own || !existsSync(folder)) return;
  const kept = await new FileBackupRepository(folder).tenure().catch(() => undefined);
  if (kept?.lineage !== own.lineage || kept.epoch <= own.epoch) return;
  throw new EpsilonError(
    'STATE_SUPERSEDED',
    `The state in ${databases} was restored from ${folder} to another place since (epoch ${kept.epoch}, here ${own.epoch}); only that place goes on.`,
    { exitCode: exitCodes.conflict, details: { epoch: own.epoch, restored: kept.epoch } },
  );
}
