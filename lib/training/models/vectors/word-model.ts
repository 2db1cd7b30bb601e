import { createHash } from 'node:crypto';
import { EpsilonError } from '../../../errors/epsilon-error.ts';

/** Word vectors with what is needed to embed a text. */
export interface WordModel {
  readonly modelType: string;
  readonly dimensions: number;
  /** Words by row. */
  readonly words: readonly string[];
  /** Occurrences in the training data, by row. */
  readonly counts: readonly number[];
  /** Rows one after the other, `words.length * dimensions` floats. */
  readonly vectors: Float32Array;
}

/** "EPSM" and the format's version. */
const magic = 0x4d535045;
const version = 1;

/**
 * model.bin: magic u32, version u32, header length u32 (all little endian), header as JSON (modelType, dimensions,
 * words, counts), padding to 4 bytes, vectors as f32 little endian, SHA-256 of everything before it.
 */
export function encodeModel({ modelType, dimensions, words, counts, vectors }: WordModel): Uint8Array {
  const header = Buffer.from(JSON.stringify({ modelType, dimensions, words, counts }));
  const padded = Math.ceil(header.length / 4) * 4;
  const body = Buffer.alloc(12 + padded + vectors.byteLength);
  body.writeUInt32LE(magic, 0);
  body.writeUInt32LE(version, 4);
  body.writeUInt32LE(header.length, 8);
  header.copy(body, 12);
  Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength).copy(body, 12 + padded);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

function corrupt(message: string): EpsilonError {
  return new EpsilonError('DATA_MODEL_CORRUPT', `The model cannot be used: ${message}.`);
}

/** Reads model.bin; throws `DATA_MODEL_CORRUPT` for a foreign, newer, cut or changed file. */
export function decodeModel(bytes: Uint8Array): WordModel {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (data.length < 44 || data.readUInt32LE(0) !== magic) throw corrupt('it is no model.bin');
  if (data.readUInt32LE(4) !== version)
    throw corrupt(`its format is version ${data.readUInt32LE(4)}, not ${version}`);
  const body = data.subarray(0, data.length - 32);
  if (!createHash('sha256').update(body).digest().equals(data.subarray(-32)))
    throw corrupt('its checksum does not match');
  const length = data.readUInt32LE(8);
  const header = headerOf(body.subarray(12, 12 + length));
  const start = 12 + Math.ceil(length / 4) * 4;
  if (body.length - start !== header.words.length * header.dimensions * 4)
    throw corrupt('words and vectors disagree');
  const vectors = new Float32Array(new Uint8Array(body.subarray(start)).buffer);
  const bad = vectors.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw corrupt(`the vector of row ${Math.floor(bad / header.dimensions)} holds ${vectors[bad]}`);
  return { ...header, vectors };
}

/** The header of a model whose checksum is right: whoever wrote it may still have written nonsense. */
function headerOf(bytes: Uint8Array): Omit<WordModel, 'vectors'> {
  let value: Partial<Omit<WordModel, 'vectors'>> | null;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes)) as typeof value;
  } catch {
    throw corrupt('its header is not JSON');
  }
  const { modelType, dimensions, words, counts } = value ?? {};
  if (typeof modelType !== 'string' || !Number.isInteger(dimensions) || Number(dimensions) < 1)
    throw corrupt(`its header says ${String(dimensions)} dimensions of type ${String(modelType)}`);
  const fits =
    Array.isArray(words) &&
    Array.isArray(counts) &&
    counts.length === words.length &&
    words.every((word) => typeof word === 'string') &&
    counts.every((count) => Number.isFinite(count) && count > 0);
  if (!fits) throw corrupt('its words and counts disagree');
  return { modelType, dimensions: Number(dimensions), words, counts };
}
