import type { Manifest } from '../../../lib/backup/manifest.ts';
import type { Point } from '../../../lib/backup/points.ts';
import { type DatabaseFinding, type Findings, requiredTables } from '../../../lib/backup/verification.ts';

const digest = (digit: string) => digit.repeat(64);

function aDatabase(name: 'engine.db' | 'store.db'): Manifest['databases'][number] {
  const tables = Object.fromEntries(requiredTables[name].map((table) => [table, 1]));
  const pieces = [{ sha256: digest('b'), bytes: 500 }];
  return { name, bytes: 500, sha256: digest('a'), schema: 1, tables, pieces };
}

/** A manifest of a point with two objects and one model. */
export function aManifest(over: Partial<Manifest> = {}): Manifest {
  return {
    schemaVersion: 1,
    id: '01JDK5ZQ8B8V9W3N4T5R6S7T00',
    lineage: 'l1',
    epoch: 0,
    takenAt: '2026-11-26T10:00:00.000Z',
    finishedAt: '2026-11-26T10:00:01.000Z',
    source: '/state',
    sameDisk: true,
    databases: [aDatabase('engine.db'), aDatabase('store.db')],
    objects: { count: 2, bytes: 200, list: { sha256: digest('c'), bytes: 100 } },
    pointers: { count: 1, dangling: [] },
    ...over,
  };
}

/** The `index`-th point, of an instant. */
export function pointAt(index: number, takenAt: string): Point & { readonly manifest: Manifest } {
  const id = `01JDK5ZQ8B8V9W3N4T5R6S7T0${index}`;
  return { id, manifest: aManifest({ id, takenAt, finishedAt: takenAt }) };
}

/** What is found of a point that is as its manifest says, but for what is given. */
export function findingsOf(
  manifest: Manifest,
  { database, ...over }: Partial<Findings> & { readonly database?: Partial<DatabaseFinding> },
): Findings {
  const databases = manifest.databases.map(({ name, sha256, tables }) => ({
    name,
    sha256,
    tables,
    damage: '',
    ...(name === 'store.db' ? database : {}),
  }));
  return {
    databases,
    objects: manifest.objects.count,
    bytesRead: 1_200,
    objectFaults: [],
    pointers: manifest.pointers.count,
    danglingPointers: [],
    ...over,
  };
}
