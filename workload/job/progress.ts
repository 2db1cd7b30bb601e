import { appendFileSync } from 'node:fs';

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
