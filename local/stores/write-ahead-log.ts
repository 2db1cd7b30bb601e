import { existsSync, readFileSync } from 'node:fs';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';

/** Bytes of the log's header and of each frame's, as SQLite's file format has them. */
const headerBytes = 32;
const frameHeaderBytes = 24;

/** First word of a log whose checksums are over little-endian words; big-endian ones have 1 more. */
const littleEndianMagic = 0x377f0682;

type Sums = readonly [number, number];

function sumsOver(log: Buffer, from: number, to: number, [first, second]: Sums, little: boolean): Sums {
  let [a, b] = [first, second];
  for (let at = from; at < to; at += 8) {
    const x = little ? log.readUInt32LE(at) : log.readUInt32BE(at);
    const y = little ? log.readUInt32LE(at + 4) : log.readUInt32BE(at + 4);
    a = (a + x + b) >>> 0;
    b = (b + y + a) >>> 0;
  }
  return [a, b];
}

const sumsAt = (log: Buffer, at: number): Sums => [log.readUInt32BE(at), log.readUInt32BE(at + 4)];
const same = (left: Sums, right: Sums) => left[0] === right[0] && left[1] === right[1];

function corrupt(file: string, place: number, what: string): EpsilonError {
  return new EpsilonError(
    'STATE_DIR_CORRUPT',
    `${file}: ${what} at byte ${place} is damaged and acknowledged steps follow it; restore the state directory from a copy.`,
    { exitCode: exitCodes.backend, details: { file, place } },
  );
}

/** The log's frames by place: whether each belongs to this generation of the log and ends a transaction. */
class Frames {
  readonly #log: Buffer;
  readonly #salts: Sums;
  readonly size: number;

  constructor(log: Buffer) {
    this.#log = log;
    this.#salts = sumsAt(log, 16);
    this.size = frameHeaderBytes + log.readUInt32BE(8);
  }

  /** Places of the frames that are whole in the file. */
  *places(from = headerBytes): Generator<number> {
    for (let at = from; at + this.size <= this.#log.length; at += this.size) yield at;
  }

  isCurrent(at: number): boolean {
    return same(sumsAt(this.#log, at + 8), this.#salts);
  }

  endsTransaction(at: number): boolean {
    return this.isCurrent(at) && this.#log.readUInt32BE(at + 4) !== 0;
  }

  /** The first frame whose checksum does not fit or that is not of this generation. */
  firstOdd(start: Sums, little: boolean): number | undefined {
    let sums = start;
    for (const at of this.places()) {
      sums = sumsOver(this.#log, at, at + 8, sums, little);
      sums = sumsOver(this.#log, at + frameHeaderBytes, at + this.size, sums, little);
      if (!this.isCurrent(at) || !same(sums, sumsAt(this.#log, at + 16))) return at;
    }
    return undefined;
  }
}

/**
 * Refuses a database whose write-ahead log is damaged before its last transaction. SQLite itself reads such a log only
 * up to the damage and forgets the rest without a word. What a power cut leaves is let through: a transaction is begun
 * only after the one before it is on disk, so at most the last one, which was never acknowledged, can be torn.
 * Throws `STATE_DIR_CORRUPT` with file and byte.
 */
export function checkWriteAheadLog(database: string): void {
  const file = `${database}-wal`;
  if (!existsSync(file)) return;
  const log = readFileSync(file);
  if (
    log.length <= headerBytes + frameHeaderBytes ||
    log.subarray(0, headerBytes).every((byte) => byte === 0)
  )
    return;
  const magic = log.readUInt32BE(0);
  const little = magic === littleEndianMagic;
  const pageBytes = log.readUInt32BE(8);
  const known = (little || magic === littleEndianMagic + 1) && pageBytes >= 512 && pageBytes <= 65_536;
  const start = sumsOver(log, 0, 24, [0, 0], little);
  if (!known || !same(start, sumsAt(log, 24))) throw corrupt(file, 0, 'its header');
  const frames = new Frames(log);
  const odd = frames.firstOdd(start, little);
  if (odd === undefined) return;
  let transactions = 0;
  for (const at of frames.places(odd)) if (frames.endsTransaction(at)) transactions += 1;
  if (transactions >= 2) throw corrupt(file, odd, 'the frame');
}
