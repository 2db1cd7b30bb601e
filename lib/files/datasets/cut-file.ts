import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { DatasetContract } from '../../quality/datasets/contract.ts';
import { askWorker } from './ask-worker.ts';

/** Bytes of an object that are held in memory at a time. */
const piece = 8_388_608;

/** The longest footer of Parquet that is read. */
const longestFooter = 67_108_864;

/** An object that is larger than a check reads. */
export interface LargeObject {
  readonly uri: string;
  /** Below the dataset's location: what is chosen of it follows from its name. */
  readonly name: string;
  readonly size: number;
}

/** Rows of a file that are read, from the first to the last, both included. */
export type RowRange = readonly [number, number];

type Readable = Pick<ObjectStore, 'get'>;

/** Copies some bytes of an object to the same place in a file. */
async function copy(
  objects: Readable,
  { uri }: LargeObject,
  path: string,
  { from, bytes }: { readonly from: number; readonly bytes: number },
): Promise<void> {
  await using file = await open(path, 'r+');
  for (let at = 0; at < bytes; at += piece) {
    const read = await objects.get(uri, { from: from + at, first: Math.min(piece, bytes - at) });
    await file.write(read, 0, read.length, from + at);
  }
}

/** The beginning of a text, up to the end of its last whole line; a line that is longer stays as it is cut. */
export async function cutText(
  objects: Readable,
  large: LargeObject,
  path: string,
  maxBytes: number,
): Promise<void> {
  await (await open(path, 'w')).close();
  await copy(objects, large, path, { from: 0, bytes: maxBytes });
  await using file = await open(path, 'r+');
  const tail = Math.min(maxBytes, piece);
  const { buffer } = await file.read(Buffer.alloc(tail), 0, tail, maxBytes - tail);
  const end = buffer.lastIndexOf(0x0a);
  if (end >= 0) await file.truncate(maxBytes - tail + end + 1);
}

const groupsSchema = z.array(
  z.strictObject({ id: z.int(), rows: z.int().min(0), start: z.int().min(0), bytes: z.int().min(0) }),
);

type Group = z.output<typeof groupsSchema>[number];

/** Row groups up to `maxBytes`, always the same of the same object: in the order of a hash of its name and theirs. At least one. */
function chosen(groups: readonly Group[], { name }: LargeObject, maxBytes: number): Group[] {
  const key = ({ id }: Group) => createHash('sha256').update(`${name}/${id}`).digest('hex');
  let bytes = 0;
  return groups
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
    .filter((group, index) => {
      bytes += group.bytes;
      return index === 0 || bytes <= maxBytes;
    })
    .toSorted((a, b) => a.id - b.id);
}

/** Length of the footer with what frames it, or undefined when the object does not end as Parquet does. */
async function footerOf(objects: Readable, { uri, size }: LargeObject): Promise<number | undefined> {
  const end = Buffer.from(await objects.get(uri, { from: size - 8, first: 8 }));
  if (end.subarray(4).toString('latin1') !== 'PAR1') return undefined;
  const bytes = end.readUInt32LE(0) + 8;
  return bytes > longestFooter || bytes > size ? undefined : bytes;
}

/**
 * Makes a file of the object's size that holds its footer and some row groups, and nothing in between, where it takes no room; gives the rows that
 * are there. Undefined for what is no Parquet: the file then is what its reader will refuse.
 */
export async function cutParquet(
  objects: Readable,
  large: LargeObject,
  path: string,
  { contract, maxBytes, folder }: { contract: DatasetContract; maxBytes: number; folder: string },
): Promise<readonly RowRange[] | undefined> {
  await using file = await open(path, 'w');
  const footer = await footerOf(objects, large);
  if (footer === undefined) return undefined;
  await file.truncate(large.size);
  await copy(objects, large, path, { from: 0, bytes: 4 });
  await copy(objects, large, path, { from: large.size - footer, bytes: footer });
  const asked = { contract, files: [path], folders: [`${folder}/`], temporary: folder, groups: true };
  const groups = groupsSchema.parse(await askWorker(asked));
  const ranges: RowRange[] = [];
  const wanted = new Set(chosen(groups, large, maxBytes).map(({ id }) => id));
  let first = 0;
  for (const { id, rows, start, bytes } of groups) {
    if (wanted.has(id)) {
      await copy(objects, large, path, { from: start, bytes });
      ranges.push([first, first + rows - 1]);
    }
    first += rows;
  }
  return ranges;
}
