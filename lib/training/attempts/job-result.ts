import { NotFound } from '../../errors/store-errors.ts';
import type { JobObservation } from './job.ts';

/** Largest job result, in bytes (the job contract). */
export const largestResult = 4_096;

/** What a job left as its result, or a note why there is none. */
export interface JobResult {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly note?: string;
}

/** The part of an object store that reading a result takes. */
export interface ResultSource {
  get(uri: string, options: { readonly first: number }): Promise<Uint8Array>;
}

/** Reads a result: what a job writes is its own affair, so what is no result is a note and never an error. */
function parseJobResult(bytes: Uint8Array): JobResult {
  if (bytes.length > largestResult)
    return { note: `its result has more than ${largestResult} bytes and was ignored` };
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { result: value as Record<string, unknown> };
  } catch {
    // The note says it.
  }
  return { note: 'its result is not JSON and was ignored' };
}

/** Reads what a job left below its output prefix, and never more than a result may have. */
async function readJobResult(objects: ResultSource, outputUri: string): Promise<JobResult> {
  try {
    return parseJobResult(await objects.get(`${outputUri}result.json`, { first: largestResult + 1 }));
  } catch (error) {
    if (error instanceof NotFound) return { note: 'it wrote no result' };
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
