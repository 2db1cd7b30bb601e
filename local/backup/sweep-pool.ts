import { existsSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, parseList } from '../../lib/backup/manifest.ts';
import { textOf } from '../../lib/operations/backup/run-backup.ts';
import type { BackupRepository, Removed } from '../../lib/ports/backup/repository.ts';

type Readable = Pick<BackupRepository, 'place' | 'points' | 'read'>;

/** Checksums of everything that points consist of; undefined while that is not known of one of them. */
async function namedPieces(repository: Readable): Promise<Set<string> | undefined> {
  const named = new Set<string>();
  const lists = new Map<string, Manifest['objects']['list']>();
  for (const point of await repository.points()) {
    if (!('manifest' in point)) return undefined;
    const { databases, objects } = point.manifest;
    for (const { pieces } of databases) for (const { sha256 } of pieces) named.add(sha256);
    lists.set(objects.list.sha256, objects.list);
  }
  for (const list of lists.values()) {
    named.add(list.sha256);
    try {
      const objects = parseList(await textOf(repository, list), list.sha256);
      for (const { sha256 } of objects) named.add(sha256);
    } catch {
      return undefined;
    }
  }
  return named;
}

/** Removes the content that no point has. While anything about a point is not known, nothing is removed. */
export async function sweepPool(repository: Readable): Promise<Pick<Removed, 'pieces' | 'bytes'>> {
  const pool = join(repository.place, 'pool');
  const named = existsSync(pool) ? await namedPieces(repository) : undefined;
  let [pieces, bytes] = [0, 0];
  if (!named) return { pieces, bytes };
  for (const folder of readdirSync(pool))
    for (const name of readdirSync(join(pool, folder))) {
      if (named.has(name)) continue;
      const path = join(pool, folder, name);
      bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      pieces += 1;
      await rm(path, { force: true });
    }
  return { pieces, bytes };
}
