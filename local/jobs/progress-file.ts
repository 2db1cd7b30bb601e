import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { type JobProgress, parseProgress } from '../../lib/training/attempts/job-progress.ts';

/** Bytes of the end of a progress file that are looked at: more than one line has. */
const progressTail = 4_096;

/** The first line of a progress file that says how far the job is; undefined when none does. */
export function firstProgress(path: string): JobProgress | undefined {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.map(parseProgress).find((progress) => progress !== undefined);
  } catch {
    return undefined;
  }
}

/** The last whole line of a progress file that says how far the job is; undefined when none does. */
export function lastProgress(path: string): JobProgress | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      const tail = Buffer.alloc(Math.min(size, progressTail));
      readSync(file, tail, 0, tail.length, size - tail.length);
      const lines = tail.toString().split('\n').slice(0, -1).reverse();
      return lines.map(parseProgress).find((progress) => progress !== undefined);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
