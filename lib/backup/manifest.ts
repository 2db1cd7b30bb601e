import { createHash } from 'node:crypto';
import { z } from 'zod';
import { checkSchema } from '../errors/check-schema.ts';
import { backupCorrupt } from './errors.ts';

/** Bytes of a database that are kept as one piece: pieces that did not change are not written again. */
export const pieceBytes = 262_144;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');
const count = z.int().min(0);
const piece = z.strictObject({ sha256, bytes: count });
const instant = z.iso.datetime();

const database = z.strictObject({
  name: z.enum(['engine.db', 'store.db']),
  bytes: count,
  sha256,
  /** Schema changes that its file had seen. */
  schema: count,
  /** Rows by table. */
  tables: z.record(z.string(), count),
  /** Its bytes in order, `pieceBytes` each but the last. */
  pieces: z.array(piece),
});

const manifestSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** ULID of the point. */
  id: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'must be a ULID'),
  /** Names the records across restores: a restored state has that of the state it comes from. */
  lineage: z.string().min(1),
  /** Restores that the state had behind it. */
  epoch: count,
  /** When the cut was made: what was acknowledged before it is in the point. */
  takenAt: instant,
  finishedAt: instant,
  /** State directory that was backed up, as the host named it. */
  source: z.string(),
  /** The backup is on the disk of its source, and is lost together with it. */
  sameDisk: z.boolean(),
  databases: z.array(database),
  objects: z.strictObject({
    count,
    bytes: count,
    /** The list of all objects, one JSON object a line. */
    list: piece,
  }),
  /** Objects and prefixes that model records named, and those of them at which nothing was in the source itself. */
  pointers: z.strictObject({ count, dangling: z.array(z.string()) }),
});

/** Content of the repository, named by its checksum. */
export type Piece = Readonly<z.output<typeof piece>>;

/** One database of a point. */
export type DatabaseCopy = Readonly<z.output<typeof database>>;

/** Everything a point consists of. Written last: a point without it does not exist. */
export type Manifest = Readonly<z.output<typeof manifestSchema>>;

/** An object as the list of a point has it. */
export interface ListedObject extends Piece {
  /** `bucket/key`. */
  readonly key: string;
  /** Changes whenever the object was written; what has the same one is not read again. */
  readonly stamp: string;
}

/** A key that stays below the folder of objects, wherever it is restored to. */
const key = z
  .string()
  .min(1)
  .refine((text) => !text.includes('\0') && text.split('/').every((part) => !['', '.', '..'].includes(part)));

const listedObject = piece.extend({ key, stamp: z.string() });

/** SHA-256 in hex. */
export function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A manifest with its own checksum. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify({ manifest, sha256: sha256Of(JSON.stringify(manifest)) })}\n`;
}

/** Reads what `manifestText` wrote; `BACKUP_CORRUPT` when anything about it changed. `place` names it in messages. */
export function parseManifest(text: string, place: string): Manifest {
  let read: { manifest?: unknown; sha256?: unknown };
  try {
    read = JSON.parse(text) as typeof read;
  } catch {
    throw backupCorrupt(place, text === '' ? 'is empty' : 'is not whole');
  }
  if (read === null || typeof read !== 'object' || read.sha256 !== sha256Of(JSON.stringify(read.manifest)))
    throw backupCorrupt(place, 'does not match its checksum');
  const checked = checkSchema(manifestSchema, read.manifest);
  if (checked.success) return checked.data;
  const { path, sentence } = checked.fault;
  throw backupCorrupt(place, `has a fault: ${path.join('.') || 'it'} ${sentence}`);
}

/** The list of objects as it is kept. */
export function listText(objects: readonly ListedObject[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('');
}

/** Reads a list of objects; `BACKUP_CORRUPT`. */
export function parseList(text: string, place: string): ListedObject[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return listedObject.parse(JSON.parse(line));
      } catch {
        throw backupCorrupt(place, 'holds a line that is no object');
      }
    });
}

/** Bytes that a restore of a point writes. */
export function bytesOf({ databases, objects }: Pick<Manifest, 'databases' | 'objects'>): number {
  return databases.reduce((sum, { bytes }) => sum + bytes, objects.bytes);
}

/** A point in short, as people and programs are told of it. */
export interface PointSummary
  extends Pick<Manifest, 'id' | 'lineage' | 'epoch' | 'takenAt' | 'finishedAt' | 'source' | 'sameDisk'> {
  readonly rows: number;
  readonly objects: number;
  /** Of databases and objects. */
  readonly bytes: number;
  readonly pointers: Manifest['pointers'];
}

/** A manifest in short. */
export function summaryOf(manifest: Manifest): PointSummary {
  const { id, lineage, epoch, takenAt, finishedAt, source, sameDisk, databases, objects, pointers } =
    manifest;
  const rows = databases
    .flatMap(({ tables }) => Object.values(tables))
    .reduce((sum, count) => sum + count, 0);
  const bytes = bytesOf(manifest);
  return {
    id,
    lineage,
    epoch,
    takenAt,
    finishedAt,
    source,
    sameDisk,
    rows,
    objects: objects.count,
    bytes,
    pointers,
  };
}
