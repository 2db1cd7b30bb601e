import { EpsilonError } from '../../../errors/epsilon-error.ts';

/** Vectors searched by inner product: FAISS's `IndexFlatIP`. */
export interface FlatIndex {
  readonly dimensions: number;
  /** Rows one after the other. */
  readonly vectors: Float32Array;
}

/** "IxFI" little endian: FAISS's mark of IndexFlatIP. */
const fourcc = 0x49467849;

/** Bytes before the vectors: mark 4, d 4, ntotal 8, two unused 8, is_trained 1, metric 4, number of floats 8. */
const headerBytes = 45;

/** FAISS writes 1 << 20 into the two unused fields. */
const unused = 1n << 20n;

/** Writes an index in FAISS's own file format (faiss/impl/index_write.cpp), which `faiss.read_index` opens. */
export function encodeFlatIndex({ dimensions, vectors }: FlatIndex): Uint8Array {
  const file = Buffer.alloc(headerBytes + vectors.byteLength);
  file.writeUInt32LE(fourcc, 0);
  file.writeInt32LE(dimensions, 4);
  file.writeBigInt64LE(BigInt(vectors.length / dimensions), 8);
  file.writeBigInt64LE(unused, 16);
  file.writeBigInt64LE(unused, 24);
  file.writeUInt8(1, 32);
  // METRIC_INNER_PRODUCT
  file.writeInt32LE(0, 33);
  file.writeBigUInt64LE(BigInt(vectors.length), 37);
  Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength).copy(file, headerBytes);
  return file;
}

function corrupt(message: string): EpsilonError {
  return new EpsilonError('DATA_INDEX_CORRUPT', `The index cannot be used: ${message}.`);
}

/** Reads an IndexFlatIP file; throws `DATA_INDEX_CORRUPT` for anything else. */
export function decodeFlatIndex(bytes: Uint8Array): FlatIndex {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < headerBytes || file.readUInt32LE(0) !== fourcc)
    throw corrupt('it is no FAISS IndexFlatIP file');
  const dimensions = file.readInt32LE(4);
  const count = Number(file.readBigInt64LE(8));
  const floats = Number(file.readBigUInt64LE(37));
  if (file.readInt32LE(33) !== 0) throw corrupt('its metric is not the inner product');
  if (floats !== count * dimensions || file.length !== headerBytes + floats * 4)
    throw corrupt('its length does not fit its header');
  return { dimensions, vectors: new Float32Array(new Uint8Array(file.subarray(headerBytes)).buffer) };
}

/** A row and its score. */
export interface Hit {
  readonly row: number;
  readonly score: number;
}

/** Inner product of a query and one row. */
export function scoreOf({ dimensions, vectors }: FlatIndex, query: Float32Array, row: number): number {
  let score = 0;
  for (let index = 0; index < dimensions; index += 1)
    score += (vectors[row * dimensions + index] as number) * (query[index] as number);
  return score;
}

/** The `k` rows with the largest inner product, best first; ties by row. */
export function search(index: FlatIndex, query: Float32Array, k: number): Hit[] {
  const { dimensions, vectors } = index;
  if (query.length !== dimensions)
    throw new EpsilonError(
      'DATA_DIMENSION',
      `The query has ${query.length} dimensions, the index ${dimensions}.`,
    );
  const best: Hit[] = [];
  const rows = vectors.length / dimensions;
  for (let row = 0; row < rows; row += 1) {
    const score = scoreOf(index, query, row);
    if (best.length === k && score <= (best[k - 1]?.score ?? Number.NEGATIVE_INFINITY)) continue;
    const at = best.findIndex((hit) => score > hit.score);
    best.splice(at < 0 ? best.length : at, 0, { row, score });
    if (best.length > k) best.pop();
  }
  return best;
}
