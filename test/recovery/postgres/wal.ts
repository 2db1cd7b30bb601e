import { join } from 'node:path';
import { program, run } from './place.ts';

const segmentsOfLog = 256;

/** The segment after one, for segments of 16 MB. */
export function nextSegment(segment: string): string {
  const timeline = segment.slice(0, 8);
  const [log, seg] = [Number.parseInt(segment.slice(8, 16), 16), Number.parseInt(segment.slice(16), 16)];
  const next = log * segmentsOfLog + seg + 1;
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  return `${timeline}${hex(Math.floor(next / segmentsOfLog))}${hex(next % segmentsOfLog)}`;
}

/** A gap in the log: what comes after it cannot be restored. */
export class SegmentMissing extends Error {
  readonly segment: string;
  constructor(segment: string) {
    super(`segment ${segment} is missing: what follows it cannot be restored`);
    this.segment = segment;
  }
}

/**
 * The segments from the first that a backup needs to the newest there is, proven to be without a gap. PostgreSQL itself takes a
 * missing segment for the end of the log and comes up with what is before it. Throws `SegmentMissing`.
 */
export function completeFrom(first: string, segments: readonly string[]): string[] {
  const there = new Set(segments);
  const newest = [...there].sort().at(-1) ?? '';
  const found: string[] = [];
  for (let segment = first; segment <= newest; segment = nextSegment(segment)) {
    if (!there.has(segment)) throw new SegmentMissing(segment);
    found.push(segment);
  }
  if (found.length === 0) throw new SegmentMissing(first);
  return found;
}

/** A place in the log as a number that can be compared. */
export function placeOf(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** Where the last whole record of a segment's file begins; undefined when the file holds none. */
export function lastRecord(folder: string, file: string): string | undefined {
  const { out } = run(program('pg_waldump'), [join(folder, file)]);
  return [...out.matchAll(/lsn: ([0-9A-F]+\/[0-9A-F]+)/g)].at(-1)?.[1];
}
