import {
  attemptAfterRestore,
  lostInRecovery,
  recoveryCause,
  runAfterRestore,
} from '../../lib/backup/recovery.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { Recovered, RestoreTarget } from '../../lib/ports/backup/target.ts';
import { type Clock, isoNow } from '../../lib/ports/clock.ts';
import type { IdSource } from '../../lib/ports/id-source.ts';
import type { Attempt, Run } from '../../lib/training/run.ts';
import { Engine } from '../asl/engine/engine.ts';
import { SqliteJournal } from '../asl/journal/sqlite.ts';
import { localAuditLog } from '../stores/audit-log.ts';
import type { Database } from '../stores/database.ts';
import { withDatabase } from './cut-databases.ts';

/** What a recovery needs of its surroundings. */
export interface RecoveryParts {
  readonly clock: Clock;
  readonly ids: IdSource;
}

const nothingRuns = () => {
  throw new EpsilonError('RESTORE_CALLS', 'A restore calls nothing.');
};

/** Ends every execution of a journal without taking any of them up: a redrive goes on from where each was. */
async function endExecutions(folder: string, { clock, ids }: RecoveryParts, cause: string): Promise<number> {
  const engine = new Engine({
    journal: new SqliteJournal({ stateDir: folder }),
    clock,
    ids,
    random: () => 0,
    onFault: (error) => {
      throw error;
    },
    integrations: {
      invokeFunction: nothingRuns,
      readObject: nothingRuns,
      writeObject: nothingRuns,
      putEvents: nothingRuns,
      snsPublish: nothingRuns,
      sqsSendMessage: nothingRuns,
    },
  });
  const ended = engine.endAll({ error: lostInRecovery, cause });
  await engine.close();
  return ended;
}

function endRecords(db: Database, at: string, cause: string): Pick<Recovered, 'runs' | 'attempts'> {
  const open = db.all('SELECT body FROM attempts WHERE open = 1');
  for (const { body } of open) {
    const attempt = attemptAfterRestore(JSON.parse(String(body)) as Attempt, at, cause);
    const { runId, stage, attempt: number, status } = attempt;
    db.run(
      'UPDATE attempts SET status = ?, open = 0, token = NULL, body = ? WHERE run_id = ? AND stage = ? AND attempt = ?',
      status,
      JSON.stringify(attempt),
      runId,
      stage,
      number,
    );
  }
  const running = db.all("SELECT body FROM runs WHERE status = 'running'");
  for (const { body } of running) {
    const run = runAfterRestore(JSON.parse(String(body)) as Run, at, cause);
    db.run(
      'UPDATE runs SET status = ?, body = ? WHERE run_id = ?',
      run.status,
      JSON.stringify(run),
      run.runId,
    );
  }
  return { runs: running.length, attempts: open.length };
}

/**
 * Makes a restored state one that starts with nothing under way: executions are ended, runs and attempts lost, leases released, locks
 * and task tokens gone, the epoch raised so that every fence from now on is above all that were ever issued. The restore itself goes
 * on record in the audit log. It can be done again.
 */
export async function recoverState(
  folder: string,
  parts: RecoveryParts,
  { manifest, epoch, actor }: Parameters<RestoreTarget['recover']>[0],
): Promise<Recovered> {
  const at = isoNow(parts.clock);
  const cause = recoveryCause(manifest.id, manifest.takenAt);
  const executions = await endExecutions(folder, parts, cause);
  const begun = {
    auditId: parts.ids.ulid(),
    begunAt: at,
    actor,
    via: 'process',
    act: 'backups.restore',
    subject: `point ${manifest.id}`,
    request: [{ id: manifest.id, takenAt: manifest.takenAt, epoch }],
  } as const;
  const records = withDatabase(folder, 'store.db', (db) => {
    const ended = db.transaction(() => {
      db.run('UPDATE lineage SET epoch = ?', epoch);
      db.run('UPDATE leases SET held = 0');
      db.run('DELETE FROM locks');
      return endRecords(db, at, cause);
    });
    const audit = localAuditLog(db);
    // The store writes before it gives its promise; what it could not write is in the promise.
    const recorded = [
      audit.append({ ...begun, phase: 'begun' }),
      audit.append({ ...begun, phase: 'ended', endedAt: at, outcome: 'done' }),
    ];
    return { ended, recorded };
  });
  await Promise.all(records.recorded);
  return { executions, ...records.ended };
}
