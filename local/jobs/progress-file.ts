import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { JobObservation } from '../../lib/training/attempts/job.ts';

/** Bytes of the end of a progress file that are looked at: more than one line has. */
const progressTail = 4_096;

/** The last whole line of a progress file that says how far the job is; undefined when none does. */
export function lastProgress(path: string): JobObservation['progress'] {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      const tail = Buffer.alloc(Math.min(size, progressTail));
      readSync(file, tail, 0, tail.length, size - tail.length);
      const lines = tail.toString().split('\n').slice(0, -1).reverse();
      return lines.map(progressOf).find((progress) => progress !== undefined);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** A line of a progress file; undefined when it is none: the job, which may be anybody's, writes it. */
function progressOf(line: string): JobObservation['progress'] {
  try {
    const { at, done, total, unit } = JSON.parse(line) as Record<string, unknown>;
    const fits =
      typeof at === 'string' && Number.isFinite(done) && typeof unit === 'string' && unit.length <= 40;
    if (!fits) return undefined;
    return { at, done: Number(done), unit, ...(Number.isFinite(total) ? { total: Number(total) } : {}) };
  } catch {
    return undefined;
  }
}
