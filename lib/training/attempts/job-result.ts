import { NotFound } from '../../errors/store-errors.ts';
import type { JobObservation } from './job.ts';

/** Largest job result, in bytes (the job contract). */
export const largestResult = 4_096;

/** What is said of a job without a result that can be used, each with its code. */
const notes = {
  missing: 'RESULT_MISSING: it wrote no result',
  tooLarge: `RESULT_TOO_LARGE: its result has more than ${largestResult} bytes`,
  notJson: 'RESULT_NOT_JSON: its result is no JSON object',
} as const;

/** What a job left as its result, or a note why there is none. */
export interface JobResult {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly note?: string;
}

/** The part of an object store that reading a result takes. */
export interface ResultSource {
  get(uri: string, options: { readonly first: number }): Promise<Uint8Array>;
}

/**
 * The fields of an observation that say what a job left. One that says it succeeded and left no result has not kept the contract, and
 * is recorded as rejected.
 */
export function resultFields(
  { result, note }: JobResult,
  state: JobObservation['state'],
): Pick<JobObservation, 'result' | 'resultFault'> {
  return {
    ...(result ? { result } : {}),
    ...(state === 'succeeded' && note !== undefined ? { resultFault: note } : {}),
  };
}

/** Reads a result, of which there may be none: what a job writes is its own affair, so what is no result is a note and never an error. */
export function parseJobResult(bytes: Uint8Array | undefined): JobResult {
  if (bytes === undefined) return { note: notes.missing };
  if (bytes.length > largestResult) return { note: notes.tooLarge };
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { result: value as Record<string, unknown> };
  } catch {
    // The note says it.
  }
  return { note: notes.notJson };
}

/** Reads what a job left below its output prefix, and never more than a result may have. */
async function readJobResult(objects: ResultSource, outputUri: string): Promise<JobResult> {
  try {
    return parseJobResult(await objects.get(`${outputUri}result.json`, { first: largestResult + 1 }));
  } catch (error) {
    if (error instanceof NotFound) return { note: notes.missing };
    throw error;
  }
}

/**
 * Reads the result of a job that ended in this state. A failed job often has no result, and one that cannot be read must not keep
 * its end from being reported: `onUnread` is called instead. The result of a job that succeeded is needed: its error is thrown.
 */
export async function readResultOfEnd(
  objects: ResultSource,
  outputUri: string,
  state: JobObservation['state'],
  onUnread: (error: unknown) => void,
): Promise<JobResult> {
  try {
    return await readJobResult(objects, outputUri);
  } catch (error) {
    if (state === 'succeeded') throw error;
    onUnread(error);
    return {};
  }
}
