import { AslFailure, failureOf } from './failure.ts';
import type { Outcome } from './records.ts';

/** Turns whatever a call threw into a Task's failure, as Lambda reports it. */
export function failureOutcome(error: unknown): Outcome {
  if (error instanceof AslFailure) return { ok: false, ...failureOf(error.error, error.reason) };
  const known = error instanceof Error ? error : new Error(String(error));
  const cause = JSON.stringify({ errorType: known.name, errorMessage: known.message, trace: [] });
  return { ok: false, error: known.name, cause };
}
