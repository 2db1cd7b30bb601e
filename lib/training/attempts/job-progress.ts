/** How far a job says it is. */
export interface JobProgress {
  /** ISO instant at which the job said so. */
  readonly at: string;
  readonly done: number;
  /** Absent while it is not known how much there is. */
  readonly total?: number;
  /** What is counted: documents, epochs, passages, rows, entries. */
  readonly unit: string;
}

/** Name of the object below an attempt's prefix that says how far its job is. */
export const progressObject = 'progress.json';

/** Longest name of a unit that is taken, in characters. */
const longestUnit = 40;

/** A text that says how far a job is; undefined when it does not: the job, which may be anybody's, writes it. */
export function parseProgress(text: string): JobProgress | undefined {
  try {
    const { at, done, total, unit } = JSON.parse(text) as Record<string, unknown>;
    const fits =
      typeof at === 'string' &&
      Number.isFinite(Date.parse(at)) &&
      Number.isFinite(done) &&
      typeof unit === 'string' &&
      unit.length <= longestUnit;
    if (!fits) return undefined;
    return { at, done: Number(done), unit, ...(Number.isFinite(total) ? { total: Number(total) } : {}) };
  } catch {
    return undefined;
  }
}
