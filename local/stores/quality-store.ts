import type { QualityVerdicts } from '../../lib/ports/quality-verdicts.ts';
import type { DatasetMemory, PartitionEntry } from '../../lib/quality/datasets/memory.ts';
import {
  type GateOverride,
  historyDays,
  type QualityHistoryEntry,
  type QualityMemory,
  type QualityVerdict,
} from '../../lib/quality/verdict.ts';
import type { Database } from './database.ts';
import { bodyOf } from './tenant-stores.ts';

/** Records of which a tenant has one: `kind` tells them apart. */
function single<T>(db: Database, kind: 'memory' | 'override' | 'dataset') {
  return {
    read: (tenantId: string) =>
      bodyOf<T>(db.get('SELECT body FROM quality WHERE tenant_id = ? AND kind = ?', tenantId, kind)),
    write: (tenantId: string, record: T) => {
      db.run(
        "INSERT OR REPLACE INTO quality (tenant_id, kind, at, body) VALUES (?, ?, '', ?)",
        tenantId,
        kind,
        JSON.stringify(record),
      );
    },
  };
}

/** Of two judgements of one partition the later one is kept. */
function appendPartition(db: Database, entry: PartitionEntry): void {
  const { tenantId, at, asOf } = entry;
  const there = bodyOf<PartitionEntry>(
    db.get("SELECT body FROM quality WHERE tenant_id = ? AND kind = 'partition' AND at = ?", tenantId, at),
  );
  if (there && there.asOf > asOf) return;
  db.run(
    "INSERT OR REPLACE INTO quality (tenant_id, kind, at, body) VALUES (?, 'partition', ?, ?)",
    tenantId,
    at,
    JSON.stringify(entry),
  );
  const oldest = new Date(Date.parse(asOf) - historyDays * 86_400_000).toISOString();
  db.run(
    "DELETE FROM quality WHERE tenant_id = ? AND kind = 'partition' AND body ->> 'asOf' < ?",
    tenantId,
    oldest,
  );
}

function append(db: Database, entry: QualityHistoryEntry): void {
  const { tenantId, checkedAt } = entry;
  const oldest = new Date(Date.parse(checkedAt) - historyDays * 86_400_000).toISOString();
  db.run(
    "INSERT OR REPLACE INTO quality (tenant_id, kind, at, body) VALUES (?, 'history', ?, ?)",
    tenantId,
    checkedAt,
    JSON.stringify(entry),
  );
  db.run("DELETE FROM quality WHERE tenant_id = ? AND kind = 'history' AND at < ?", tenantId, oldest);
}

/** Quality verdicts, what was learnt, the history and operators' decisions in SQLite. */
export function localQualityVerdicts(db: Database): QualityVerdicts {
  const memories = single<QualityMemory>(db, 'memory');
  const datasets = single<DatasetMemory>(db, 'dataset');
  const overrides = single<GateOverride>(db, 'override');
  const latest = (tenantId: string) =>
    bodyOf<QualityVerdict>(db.get('SELECT body FROM verdicts WHERE tenant_id = ?', tenantId));
  const standing = (tenantId: string) => ({ verdict: latest(tenantId), override: overrides.read(tenantId) });
  return {
    standing: async (tenantId) => standing(tenantId),
    standings: async (tenantIds) => tenantIds.map(standing),
    record: async (verdict) =>
      db.transaction(() => {
        const there = latest(verdict.tenantId);
        if (there && there.checkedAt > verdict.checkedAt) return false;
        db.run(
          'INSERT OR REPLACE INTO verdicts (tenant_id, body) VALUES (?, ?)',
          verdict.tenantId,
          JSON.stringify(verdict),
        );
        return true;
      }),
    memory: async (tenantId) => memories.read(tenantId),
    remember: async (memory) =>
      db.transaction(() => {
        const there = memories.read(memory.tenantId);
        if (!there || there.checkedAt <= memory.checkedAt) memories.write(memory.tenantId, memory);
      }),
    append: async (entry) => db.transaction(() => append(db, entry)),
    history: async (tenantId, limit) =>
      db
        .all(
          "SELECT body FROM quality WHERE tenant_id = ? AND kind = 'history' ORDER BY at DESC LIMIT ?",
          tenantId,
          limit,
        )
        .map((row) => JSON.parse(String(row['body'])) as QualityHistoryEntry),
    dataset: async (tenantId) => datasets.read(tenantId),
    rememberDataset: async (memory) =>
      db.transaction(() => {
        const there = datasets.read(memory.tenantId);
        if (!there || there.checkedAt <= memory.checkedAt) datasets.write(memory.tenantId, memory);
      }),
    appendPartitions: async (entries) =>
      db.transaction(() => {
        for (const entry of entries) appendPartition(db, entry);
      }),
    partitions: async (tenantId, limit) =>
      db
        .all(
          "SELECT body FROM quality WHERE tenant_id = ? AND kind = 'partition' ORDER BY at DESC LIMIT ?",
          tenantId,
          limit,
        )
        .map((row) => JSON.parse(String(row['body'])) as PartitionEntry),
    putOverride: async (override) => overrides.write(override.tenantId, override),
  };
}
