import { addsOnly } from './database.ts';

/** Schema of store.db, one entry per version; entries are only ever appended. */
export const storeMigrations: readonly string[] = [
  `
  CREATE TABLE tenants (tenant_id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, logical_date TEXT NOT NULL, status TEXT NOT NULL,
    night_arn TEXT, started_at TEXT NOT NULL, redrive_count INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX runs_by_tenant ON runs (tenant_id, logical_date);
  CREATE INDEX runs_by_date ON runs (logical_date);
  CREATE INDEX runs_by_status ON runs (status);
  CREATE TABLE attempts (
    run_id TEXT NOT NULL, stage TEXT NOT NULL, attempt INTEGER NOT NULL, status TEXT NOT NULL, open INTEGER NOT NULL,
    part INTEGER NOT NULL, intent_at TEXT NOT NULL, token BLOB, body TEXT NOT NULL,
    PRIMARY KEY (run_id, stage, attempt)) STRICT;
  CREATE INDEX attempts_open ON attempts (open, intent_at) WHERE open = 1;
  CREATE TABLE leases (
    tenant_id TEXT PRIMARY KEY, holder TEXT NOT NULL, fence INTEGER NOT NULL, expires_at TEXT NOT NULL, held INTEGER NOT NULL) STRICT;
  CREATE TABLE claims (
    machine TEXT NOT NULL, scheduled_time TEXT NOT NULL, holder TEXT NOT NULL, claimed_at TEXT NOT NULL,
    PRIMARY KEY (machine, scheduled_time)) STRICT;
  CREATE TABLE models (
    tenant_id TEXT NOT NULL, model_version TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant_id, model_version)) STRICT;
  CREATE TABLE live (tenant_id TEXT PRIMARY KEY, fence INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE verdicts (tenant_id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE cursors (name TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT;
  `,
  'CREATE TABLE locks (name TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at TEXT NOT NULL) STRICT;',
  // Records of the audit log are only ever added; REPLACE would delete without its trigger, so inserting is guarded too.
  // A live model of an earlier version is taken as not aligned: aligning it once more is safe.
  `
  CREATE TABLE audit (
    audit_id TEXT NOT NULL, phase TEXT NOT NULL, begun_at TEXT NOT NULL, actor TEXT NOT NULL, subject TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (audit_id, phase)) STRICT;
  CREATE INDEX audit_by_time ON audit (begun_at, audit_id, phase);
  CREATE TRIGGER audit_stays_as_it_is BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE audit_id = NEW.audit_id AND phase = NEW.phase)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  ALTER TABLE live ADD COLUMN unaligned INTEGER NOT NULL DEFAULT 1;
  CREATE INDEX live_unaligned ON live (unaligned) WHERE unaligned = 1;
  `,
  'ALTER TABLE leases ADD COLUMN redrive_count INTEGER NOT NULL DEFAULT 0;',
  'CREATE TABLE images (image TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;',
  // What data-quality checks learnt, their history and operators' decisions; `at` is empty where a tenant has one record of a kind.
  `
  CREATE TABLE quality (
    tenant_id TEXT NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, kind, at)) STRICT;
  `,
  // Whose records these are, however often they were restored; each restore raises the epoch.
  `
  CREATE TABLE lineage (lineage TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT;
  INSERT INTO lineage (lineage, epoch) VALUES (lower(hex(randomblob(16))), 0);
  `,
  `${addsOnly}
  CREATE TABLE releases (release_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE release_turn (release_id TEXT NOT NULL) STRICT;
  `,
];
