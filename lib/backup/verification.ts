import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { type DatabaseCopy, type Manifest, sha256Of } from './manifest.ts';

/** Tables without which a database is not whole, whatever its manifest says. */
export const requiredTables: Readonly<Record<DatabaseCopy['name'], readonly string[]>> = {
  'engine.db': ['definitions', 'executions', 'events', 'threads', 'map_runs'],
  'store.db': ['tenants', 'runs', 'attempts', 'leases', 'claims', 'models', 'live', 'audit', 'lineage'],
};

/** What was read of a database. */
export interface DatabaseFinding {
  readonly name: string;
  readonly sha256: string;
  /** Rows by table; empty when the file could not be read as a database. */
  readonly tables: Readonly<Record<string, number>>;
  /** What SQLite's own check finds; empty when nothing. */
  readonly damage: string;
}

/** What was read back of a point, or of a state that was restored from it. */
export interface Findings {
  readonly databases: readonly DatabaseFinding[];
  readonly objects: number;
  readonly bytesRead: number;
  /** Objects that are missing or differ, by key. */
  readonly objectFaults: readonly string[];
  /** Objects and prefixes that model records name. */
  readonly pointers: number;
  /** Those of them at which nothing readable is. */
  readonly danglingPointers: readonly string[];
}

/** Counts of a verification, and everything that is wrong. */
export interface Verification {
  readonly tables: number;
  readonly rows: number;
  readonly objects: number;
  readonly bytesRead: number;
  readonly pointers: number;
  readonly faults: readonly string[];
  /** What was wrong with the source already when it was backed up. */
  readonly warnings: readonly string[];
}

function missingTables({ name, tables }: DatabaseFinding): string[] {
  const required = requiredTables[name as DatabaseCopy['name']] ?? [];
  return required.filter((table) => tables[table] === undefined);
}

/** Whether a database can be read and has every table that it must have. */
export function isWhole(found: DatabaseFinding): boolean {
  return found.damage === '' && missingTables(found).length === 0;
}

function databaseFaults(copy: DatabaseCopy, found: DatabaseFinding | undefined): string[] {
  if (!found) return [`${copy.name} is missing`];
  if (found.damage !== '') return [`${copy.name}: ${found.damage}`];
  const missing = missingTables(found);
  if (missing.length > 0) return [`${copy.name} lacks ${missing.join(', ')}`];
  if (found.sha256 !== copy.sha256) return [`${copy.name} does not match its checksum`];
  const tables = new Set([...Object.keys(copy.tables), ...Object.keys(found.tables)]);
  return [...tables].flatMap((table) => {
    const [expected, there] = [copy.tables[table] ?? 0, found.tables[table] ?? 0];
    return expected === there ? [] : [`${copy.name}, ${table}: ${there} rows, ${expected} expected`];
  });
}

const danglingText = (pointer: string) => `a model record names ${pointer}, where nothing readable is`;

/** Holds what was read against what a point's manifest says. A verification that read nothing is at fault. */
export function judgeFindings(manifest: Manifest, found: Findings): Verification {
  const counts = found.databases.flatMap(({ tables }) => Object.values(tables));
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const names = new Set(manifest.databases.map(({ name }) => name));
  const absent = Object.keys(requiredTables).filter((name) => !names.has(name as DatabaseCopy['name']));
  const known = new Set(manifest.pointers.dangling);
  const faults = [
    ...absent.map((name) => `the point has no ${name}`),
    ...manifest.databases.flatMap((copy) =>
      databaseFaults(
        copy,
        found.databases.find(({ name }) => name === copy.name),
      ),
    ),
    ...found.objectFaults,
    ...found.danglingPointers.filter((pointer) => !known.has(pointer)).map(danglingText),
  ];
  if (found.objects !== manifest.objects.count)
    faults.push(`${found.objects} objects were read, ${manifest.objects.count} expected`);
  if (found.pointers !== manifest.pointers.count)
    faults.push(
      `model records name ${found.pointers} objects and prefixes, ${manifest.pointers.count} expected`,
    );
  if (counts.length === 0 || rows === 0 || found.bytesRead === 0) faults.push('nothing was checked');
  const { objects, bytesRead, pointers } = found;
  const warnings = manifest.pointers.dangling.map(danglingText);
  return { tables: counts.length, rows, objects, bytesRead, pointers, faults, warnings };
}

/** Faults that a message names. */
const namedFaults = 3;

/** Throws `RESTORE_UNVERIFIED` with the first faults when there are any. */
export function requireVerified(id: string, { faults }: Verification): void {
  if (faults.length === 0) return;
  const more = faults.length > namedFaults ? ` and ${faults.length - namedFaults} more` : '';
  throw new EpsilonError(
    'RESTORE_UNVERIFIED',
    `Point ${id} failed its verification: ${faults.slice(0, namedFaults).join('; ')}${more}.`,
    { exitCode: exitCodes.backend, details: { id, faults } },
  );
}

/** What is approved: this verification of this point in this place, and nothing else. */
export function approvalDigest(manifest: Manifest, target: string, verification: Verification): string {
  return sha256Of(
    JSON.stringify({ manifest: sha256Of(JSON.stringify(manifest)), target, verification }),
  ).slice(0, 16);
}
