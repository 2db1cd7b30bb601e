import { StaleFence } from '../../lib/errors/run-errors.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import type { ModelRegistry } from '../../lib/ports/model-registry.ts';
import type { LiveModel, ModelVersion } from '../../lib/training/models/model.ts';
import { isOfShard } from '../../lib/training/shards.ts';
import type { Database } from './database.ts';
import { floorOf } from './lineage.ts';
import { bodyOf, leaseFromRow } from './tenant-stores.ts';

const findModel = (db: Database, tenantId: string, version: string) =>
  bodyOf<ModelVersion>(
    db.get('SELECT body FROM models WHERE tenant_id = ? AND model_version = ?', tenantId, version),
  );

const findLive = (db: Database, tenantId: string) =>
  bodyOf<LiveModel>(db.get('SELECT body FROM live WHERE tenant_id = ?', tenantId));

/** Switches within a transaction; the fixed names are open work from then on. */
function promote(db: Database, request: Parameters<ModelRegistry['promote']>[0]): LiveModel {
  const { tenantId, modelVersion, fence, at, reason } = request;
  const chosen = findModel(db, tenantId, modelVersion);
  if (!chosen) throw new NotFound('MODEL_NOT_FOUND', `Tenant "${tenantId}" has no model ${modelVersion}.`);
  const before = findLive(db, tenantId);
  const leaseFence = leaseFromRow(db.get('SELECT * FROM leases WHERE tenant_id = ?', tenantId))?.fence ?? 0;
  const current = Math.max(leaseFence, before?.fence ?? 0, floorOf(db));
  if (fence < current) throw new StaleFence(tenantId, fence, current);
  if (before?.modelVersion === modelVersion) return before;
  const { modelUri, indexUri, dataUri, cacheUri } = chosen;
  const next: LiveModel = {
    tenantId,
    modelVersion,
    ...(before ? { previousVersion: before.modelVersion } : {}),
    modelUri,
    indexUri,
    dataUri,
    cacheUri,
    fence,
    promotedAt: at,
    reason,
  };
  db.run(
    'INSERT OR REPLACE INTO live (tenant_id, fence, body, unaligned) VALUES (?, ?, ?, 1)',
    tenantId,
    fence,
    JSON.stringify(next),
  );
  return next;
}

function noteAligned(
  db: Database,
  { tenantId, modelVersion, fence, at }: Parameters<ModelRegistry['noteAligned']>[0],
): boolean {
  const there = findLive(db, tenantId);
  if (there?.modelVersion !== modelVersion || there.fence !== fence) return false;
  db.run(
    'UPDATE live SET body = ?, unaligned = 0 WHERE tenant_id = ?',
    JSON.stringify({ ...there, fixedNamesAt: at }),
    tenantId,
  );
  return true;
}

/** Models and live pairs in SQLite. */
export function localModelRegistry(db: Database): ModelRegistry {
  return {
    register: async (entry) => {
      db.run(
        'INSERT OR IGNORE INTO models (tenant_id, model_version, body) VALUES (?, ?, ?)',
        entry.tenantId,
        entry.modelVersion,
        JSON.stringify(entry),
      );
    },
    get: async (tenantId, version) => findModel(db, tenantId, version),
    list: async (tenantId) =>
      db
        .all('SELECT body FROM models WHERE tenant_id = ? ORDER BY model_version DESC', tenantId)
        .map((row) => JSON.parse(String(row['body'])) as ModelVersion),
    live: async (tenantId) => findLive(db, tenantId),
    promote: async (request) => db.transaction(() => promote(db, request)),
    noteAligned: async (request) => db.transaction(() => noteAligned(db, request)),
    listUnaligned: async (shard) =>
      db
        .all('SELECT body FROM live WHERE unaligned = 1 ORDER BY tenant_id')
        .map((row) => JSON.parse(String(row['body'])) as LiveModel)
        .filter(({ tenantId }) => isOfShard(tenantId, shard)),
  };
}
