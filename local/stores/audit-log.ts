import { type AuditRecord, entriesOf } from '../../lib/audit/record.ts';
import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import type { AuditFilter, AuditLog } from '../../lib/ports/audit-log.ts';
import type { Database } from './database.ts';

const recordsOf = `SELECT audit.body AS body FROM audit JOIN
  (SELECT DISTINCT begun_at, audit_id FROM audit
   WHERE begun_at >= ? AND begun_at < ? AND actor = coalesce(?, actor) AND subject = coalesce(?, subject)
   ORDER BY begun_at DESC, audit_id DESC LIMIT ?) AS acts ON acts.audit_id = audit.audit_id
  ORDER BY acts.begun_at DESC, acts.audit_id DESC, phase DESC`;

/** The audit log in SQLite; triggers refuse to change or remove a record. */
export function localAuditLog(db: Database): AuditLog {
  const isThere = ({ auditId, phase }: AuditRecord) =>
    db.get('SELECT 1 FROM audit WHERE audit_id = ? AND phase = ?', auditId, phase) !== undefined;
  return {
    append: async (record) =>
      db.transaction(() => {
        const { auditId, phase, begunAt, actor, subject } = record;
        if (isThere(record)) throw new ConditionFailed(`act ${auditId} is on record as ${phase}`);
        db.run(
          'INSERT INTO audit (audit_id, phase, begun_at, actor, subject, body) VALUES (?, ?, ?, ?, ?, ?)',
          auditId,
          phase,
          begunAt,
          actor,
          subject,
          JSON.stringify(record),
        );
      }),
    list: async ({ since, until, actor, subject, limit }: AuditFilter) => {
      // A reader does not bring a file of an earlier version up to date: that has no acts on record.
      if (!db.get("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'audit'")) return [];
      const rows = db.all(recordsOf, since, until, actor ?? null, subject ?? null, limit);
      return entriesOf(rows.map((row) => JSON.parse(String(row['body'])) as AuditRecord));
    },
  };
}
