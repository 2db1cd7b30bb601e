import { EpsilonError } from '../../../errors/epsilon-error.ts';
import { BestRows, type Hit } from './best-rows.ts';

/** Vectors searched by inner product: FAISS's `IndexFlatIP`. */
export interface FlatIndex {
  readonly dimensions: number;
  /** Rows one after the other. */
  readonly vectors: Float32Array;
}

/** What an index file says about itself before its vectors. */
export interface FlatHeader {
  readonly dimensions: number;
  readonly rows: number;
}

/** "IxFI" little endian: FAISS's mark of IndexFlatIP. */
const fourcc = 0x49467849;

/** Bytes before the vectors: mark 4, d 4, ntotal 8, two unused 8, is_trained 1, metric 4, number of floats 8. */
export const headerBytes = 45;

/** FAISS writes 1 << 20 into the two unused fields. */
const unused = 1n << 20n;

/** Most dimensions of an index that is read: sixteen times those of the largest model that can be trained. */
const mostDimensions = 65_536;

/** The beginning of an index file in FAISS's own format (faiss/impl/index_write.cpp); the rows follow as f32, little endian. */
export function encodeFlatHeader({ dimensions, rows }: FlatHeader): Uint8Array {
  const file = Buffer.alloc(headerBytes);
  file.writeUInt32LE(fourcc, 0);
  file.writeInt32LE(dimensions, 4);
  file.writeBigInt64LE(BigInt(rows), 8);
  file.writeBigInt64LE(unused, 16);
  file.writeBigInt64LE(unused, 24);
  file.writeUInt8(1, 32);
  // METRIC_INNER_PRODUCT
  file.writeInt32LE(0, 33);
  file.writeBigUInt64LE(BigInt(rows) * BigInt(dimensions), 37);
  return file;
}

/** Writes a whole index, which `faiss.read_index` opens. */
export function encodeFlatIndex({ dimensions, vectors }: FlatIndex): Uint8Array {
  return Buffer.concat([
    encodeFlatHeader({ dimensions, rows: vectors.length / dimensions }),
    Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength),
  ]);
}

function corrupt(message: string): EpsilonError {
  return new EpsilonError('DATA_INDEX_CORRUPT', `The index cannot be used: ${message}.`);
}

/**
 * Reads the beginning of an index file, which has `size` bytes where that is known; throws `DATA_INDEX_CORRUPT` for any other file and
 * for numbers that cannot be.
 */
export function decodeFlatHeader(bytes: Uint8Array, size?: number): FlatHeader {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < headerBytes || file.readUInt32LE(0) !== fourcc)
    throw corrupt('it is no FAISS IndexFlatIP file');
  const dimensions = file.readInt32LE(4);
  const rows = file.readBigInt64LE(8);
  if (dimensions < 1 || dimensions > mostDimensions) throw corrupt(`it says ${dimensions} dimensions`);
  if (rows < 0n || rows * BigInt(dimensions) > BigInt(Number.MAX_SAFE_INTEGER))
    throw corrupt(`it says ${rows} rows`);
  if (file.readUInt8(32) !== 1) throw corrupt('it is not trained');
  if (file.readInt32LE(33) !== 0) throw corrupt('its metric is not the inner product');
  if (file.readBigUInt64LE(37) !== rows * BigInt(dimensions))
    throw corrupt('its length does not fit its header');
  if (size !== undefined && size !== headerBytes + Number(rows) * dimensions * 4)
    throw corrupt('its length does not fit its header');
  return { dimensions, rows: Number(rows) };
}

/** Throws `DATA_INDEX_CORRUPT` when one of these values, of rows from `firstRow` on, is not a finite number. */
function checkFinite(vectors: Float32Array, dimensions: number, firstRow: number): void {
  const bad = vectors.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw corrupt(`row ${firstRow + Math.floor(bad / dimensions)} holds ${vectors[bad]}`);
}

/** Reads an IndexFlatIP file; throws `DATA_INDEX_CORRUPT` for anything else. */
export function decodeFlatIndex(bytes: Uint8Array): FlatIndex {
  const { dimensions } = decodeFlatHeader(bytes, bytes.byteLength);
  const vectors = new Float32Array(new Uint8Array(bytes.subarray(headerBytes)).buffer);
  checkFinite(vectors, dimensions, 0);
  return { dimensions, vectors };
}

/** One row, from its bytes. Throws as `decodeFlatIndex`. */
export function decodeRow(bytes: Uint8Array, dimensions: number, row: number): FlatIndex {
  if (bytes.byteLength !== 4 * dimensions) throw corrupt('its length does not fit its header');
  const vectors = new Float32Array(new Uint8Array(bytes).buffer);
  checkFinite(vectors, dimensions, row);
  return { dimensions, vectors };
}

/** Some rows of an index that is read piece by piece. */
export interface FlatRows extends FlatIndex {
  readonly firstRow: number;
}

/** Reads an index as a stream: any number of rows in the memory of a few. Throws as `decodeFlatIndex`, where the fault is met. */
export async function* readFlatRows(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<FlatRows> {
  let held = Buffer.alloc(0);
  let header: FlatHeader | undefined;
  let firstRow = 0;
  for await (const piece of pieces) {
    held = Buffer.concat([held, piece]);
    if (!header) {
      if (held.length < headerBytes) continue;
      header = decodeFlatHeader(held);
      held = held.subarray(headerBytes);
    }
    const { dimensions, rows } = header;
    const count = Math.floor(held.length / (dimensions * 4));
    if (count === 0) continue;
    const bytes = count * dimensions * 4;
    const vectors = new Float32Array(new Uint8Array(held.subarray(0, bytes)).buffer);
    held = held.subarray(bytes);
    if (firstRow + count > rows) throw corrupt('its length does not fit its header');
    checkFinite(vectors, dimensions, firstRow);
    yield { dimensions, vectors, firstRow };
    firstRow += count;
  }
  header ??= decodeFlatHeader(held);
  if (held.length > 0 || firstRow !== header.rows) throw corrupt('its length does not fit its header');
}

/** Inner product of a query and one row. */
export function scoreOf({ dimensions, vectors }: FlatIndex, query: Float32Array, row: number): number {
  const at = row * dimensions;
  let [even, odd] = [0, 0];
  let index = 0;
  // Two sums: the processor need not wait for one addition before the next.
  for (; index + 1 < dimensions; index += 2) {
    even += (vectors[at + index] as number) * (query[index] as number);
    odd += (vectors[at + index + 1] as number) * (query[index + 1] as number);
  }
  if (index < dimensions) even += (vectors[at + index] as number) * (query[index] as number);
  return even + odd;
}

/** Throws `DATA_DIMENSION` when a query is not for an index of so many dimensions. */
export function checkDimensions(query: Float32Array, dimensions: number): void {
  if (query.length === dimensions) return;
  throw new EpsilonError(
    'DATA_DIMENSION',
    `The query has ${query.length} dimensions, the index ${dimensions}.`,
  );
}

/** The `k` rows with the largest inner product, best first; ties by row. */
export function search(index: FlatIndex, query: Float32Array, k: number): readonly Hit[] {
  checkDimensions(query, index.dimensions);
  const best = new BestRows(k);
  const rows = index.vectors.length / index.dimensions;
  for (let row = 0; row < rows; row += 1) best.add(row, scoreOf(index, query, row));
  return best.hits;
}
