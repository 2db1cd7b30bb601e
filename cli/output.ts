import { EpsilonError, exitCodes } from '../lib/errors/epsilon-error.ts';

/** Version of every JSON document the command prints. */
export const schemaVersion = 1;

/** Where a verb writes. */
export interface Output {
  readonly json: boolean;
  /** The output is a terminal that understands cursor movements. */
  readonly terminal: boolean;
  /** Width of the terminal; absent where the output goes elsewhere, which is written without regard to a width. */
  readonly columns: number | undefined;
  write(text: string): void;
  warn(text: string): void;
}

/** An instant of this service for people: UTC, to the second; empty when there is none. */
export function toTheSecond(instant: string | undefined): string {
  return instant === undefined ? '' : `${instant.slice(0, 19)}Z`;
}

/** Text of others on one line: without line ends, and without what a terminal would take for orders. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}

/** One error for a full disk, whichever layer met it. */
function asKnown(error: unknown): EpsilonError | undefined {
  if (error instanceof EpsilonError) return error;
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return undefined;
  return new EpsilonError(
    'DISK_FULL',
    `The disk is full (${message}). Free some space and run the same command again.`,
    { exitCode: exitCodes.backend, cause: error },
  );
}

/** Writes an error as the mode asks and gives the exit code. Never a stack trace unless asked for. */
export function report(output: Output, error: unknown, debug: boolean): number {
  const known = asKnown(error);
  const code = known?.code ?? 'INTERNAL';
  const message = known?.message ?? (error instanceof Error ? error.message : String(error));
  if (output.json)
    output.warn(
      `${JSON.stringify({ schemaVersion, error: { code, message, details: known?.details ?? {} } })}\n`,
    );
  else output.warn(`error ${code}: ${message}\n`);
  if (debug && error instanceof Error) output.warn(`${error.stack ?? ''}\n`);
  else if (!known && !output.json)
    output.warn('This is a bug in Epsilon; run the command again with --debug for the details.\n');
  return known?.exitCode ?? exitCodes.backend;
}

/** Seconds for people. */
export function seconds(milliseconds: number): string {
  const value = milliseconds / 1000;
  if (value < 60) return `${value.toFixed(1)}s`;
  return `${Math.floor(value / 60)}m${String(Math.round(value % 60)).padStart(2, '0')}s`;
}

/** A cause for people: Lambda wraps an error's own words in JSON, a failed child execution describes itself. */
export function causeText(cause: string | undefined): string {
  if (cause === undefined || cause === '') return 'no cause given';
  try {
    const { errorMessage, Error: error, Cause: inner } = JSON.parse(cause) as Record<string, unknown>;
    if (typeof errorMessage === 'string') return errorMessage;
    if (typeof error === 'string')
      return `${error}: ${causeText(typeof inner === 'string' ? inner : undefined)}`;
  } catch {
    // Plain words.
  }
  return cause;
}
