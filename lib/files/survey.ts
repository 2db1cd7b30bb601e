import type { ReadingOptions } from '../documents/found.ts';
import { passagesOf } from '../documents/passages.ts';
import { type Counts, type Named, Tally } from '../documents/tally.ts';
import { type ReadableObjects, readDocuments } from './documents.ts';

/** What the data stage would read at a place, without writing anything. */
export interface Survey {
  readonly counts: Counts;
  readonly passages: number;
  /** Names of the first documents that would be used. */
  readonly first: readonly string[];
  /** What would be left out, by name, the first of each reason. */
  readonly leftOut: readonly Named[];
  /** The same in words; empty when nothing is left out. */
  readonly words: string;
  /** Whether everything was read, not only the beginning. */
  readonly complete: boolean;
}

/** Documents that a survey names. */
const firstNamed = 5;

/** How far a survey goes. */
export interface SurveyLimits {
  readonly maxDocuments?: number;
  /** Stops when so many documents were used: enough to see that the place can be read. */
  readonly enough?: number;
}

/** Reads documents as the data stage does and says what came of it. Errors as of `readDocuments`. */
export async function surveyDocuments(
  objects: ReadableObjects,
  uri: string,
  options: ReadingOptions,
  { maxDocuments, enough = Number.POSITIVE_INFINITY }: SurveyLimits = {},
): Promise<Survey> {
  const tally = new Tally(maxDocuments);
  const first: string[] = [];
  let passages = 0;
  let complete = true;
  for await (const found of readDocuments(objects, uri, options)) {
    const text = tally.take(found);
    if (text === undefined) continue;
    passages += passagesOf(found.source, text).length;
    if (first.length < firstNamed) first.push(found.source);
    if (tally.counts.used < enough) continue;
    complete = false;
    break;
  }
  return { counts: tally.counts, passages, first, leftOut: tally.named, words: tally.describe(), complete };
}
