import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import type { ReleaseRecords, SealedRelease } from '../../lib/ports/release/release-records.ts';
import type { Database } from './database.ts';
import { bodyOf } from './tenant-stores.ts';
import type { TokenBox } from './token-box.ts';

/** What a sealed token of a release is bound to. */
const sealedFor = (releaseId: string) => `release/${releaseId}` as const;

/** Releases in SQLite, and whose turn it is. */
export function localReleaseRecords(db: Database, box: TokenBox): ReleaseRecords {
  const row = (releaseId: string) => db.get('SELECT body FROM releases WHERE release_id = ?', releaseId);
  const turn = () => db.get('SELECT release_id FROM release_turn')?.['release_id'];
  return {
    get: async (releaseId) => bodyOf<SealedRelease>(row(releaseId)),
    list: async () =>
      db.all('SELECT body FROM releases ORDER BY started_at DESC').map(({ body }) => {
        const { sealedToken: _, ...release } = JSON.parse(String(body)) as SealedRelease;
        return release;
      }),
    put: async (release, expected) =>
      db.transaction(() => {
        const { releaseId, startedAt } = release;
        const found = bodyOf<SealedRelease>(row(releaseId))?.version ?? 0;
        if (found !== expected)
          throw new ConditionFailed(`release ${releaseId} is at version ${found}, not ${expected}`, {
            found,
            expected,
          });
        db.run(
          'INSERT OR REPLACE INTO releases (release_id, started_at, body) VALUES (?, ?, ?)',
          releaseId,
          startedAt,
          JSON.stringify({ ...release, version: expected + 1 }),
        );
      }),
    seal: async (releaseId, taskToken) =>
      Buffer.from(box.seal(taskToken, sealedFor(releaseId))).toString('base64'),
    open: async ({ releaseId, sealedToken }) =>
      sealedToken === undefined
        ? undefined
        : box.open(Buffer.from(sealedToken, 'base64'), sealedFor(releaseId)),
    begin: async ({ releaseId, instead }) =>
      db.transaction(() => {
        const under = turn();
        if (under !== undefined && under !== releaseId && under !== instead) return String(under);
        db.run('DELETE FROM release_turn');
        db.run('INSERT INTO release_turn (release_id) VALUES (?)', releaseId);
        return releaseId;
      }),
    end: async (releaseId) => {
      db.run('DELETE FROM release_turn WHERE release_id = ?', releaseId);
    },
  };
}
