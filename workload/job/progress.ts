import { appendFileSync } from 'node:fs';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import { progressObject } from '../../lib/training/attempts/job-progress.ts';

/** How far a stage is, as its progress file has it: one JSON object a line, the last line counts. */
export interface Progress {
  readonly done: number;
  /** Absent while it is not known how much there is. */
  readonly total?: number;
  /** What is counted: documents, passages, epochs, rows, entries. */
  readonly unit: string;
}

/** Milliseconds between two lines. */
const interval = 1_000;

/**
 * Makes what appends to the progress file (EPSILON_PROGRESS_PATH), at most once a second. A file that cannot be written stops
 * nobody. `now` is in milliseconds since the Unix epoch.
 */
export function openProgress(path: string | undefined, now: () => number): (progress: Progress) => void {
  let written = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const at = now();
    if (path === undefined || at < written + interval) return;
    written = at;
    try {
      appendFileSync(path, `${JSON.stringify({ at: new Date(at).toISOString(), ...progress })}\n`, {
        mode: 0o600,
      });
    } catch {
      // Nobody learns how far it is; it goes on.
    }
  };
}

/** Milliseconds between two objects: whoever watches asks no more often (cli/watch/run-views.ts). */
const objectInterval = 5_000;

/**
 * Makes what writes the newest progress as an object below the attempt's own prefix, where every backend's watchers find it; at
 * most every five seconds, and one write at a time. An object that cannot be written stops nobody.
 */
export function publishProgress(
  objects: Pick<ObjectStore, 'put'>,
  output: string,
  now: () => number,
): (progress: Progress) => void {
  let written = Number.NEGATIVE_INFINITY;
  let underWay = false;
  return (progress) => {
    const at = now();
    if (underWay || at < written + objectInterval) return;
    written = at;
    underWay = true;
    objects
      .put(`${output}${progressObject}`, JSON.stringify({ at: new Date(at).toISOString(), ...progress }), {
        contentType: 'application/json',
      })
      .catch(() => {})
      .finally(() => {
        underWay = false;
      });
  };
}
