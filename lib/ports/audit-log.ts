import type { AuditEntry, AuditRecord } from '../audit/record.ts';

/** Which acts are listed. */
export interface AuditFilter {
  /** Acts begun at this instant or later, ISO 8601. */
  readonly since: string;
  /** Acts begun before this instant, ISO 8601. */
  readonly until: string;
  readonly actor?: string;
  readonly subject?: string;
  /** Acts, at most. */
  readonly limit: number;
}

/** What operators did, append-only: there is no way to change or remove a record. */
export interface AuditLog {
  /** Adds a record; `ConditionFailed` when the act has a record of this phase already. */
  append(record: AuditRecord): Promise<void>;
  /** Newest first. */
  list(filter: AuditFilter): Promise<AuditEntry[]>;
}
