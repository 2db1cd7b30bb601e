import Table from 'cli-table3';
import { EpsilonError, exitCodes } from '../lib/errors/epsilon-error.ts';

/** Version of every JSON document the command prints. */
export const schemaVersion = 1;

/** Where a verb writes. */
export interface Output {
  readonly json: boolean;
  /** The terminal understands cursor movements. */
  readonly terminal: boolean;
  readonly columns: number;
  write(text: string): void;
  warn(text: string): void;
}

/** Prints one JSON document, or the text for people. */
export function print(output: Output, document: Readonly<Record<string, unknown>>, text: () => string): void {
  if (output.json) output.write(`${JSON.stringify({ schemaVersion, ...document }, null, 2)}\n`);
  else output.write(`${text()}\n`);
}

/** A plain table; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return '(none)';
  const aligned = head.map((_, column) =>
    rows.every((row) => typeof row[column] === 'number') ? 'right' : 'left',
  );
  const made = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: ' ',
    },
    colAligns: aligned as ('left' | 'right')[],
  });
  made.push(...rows.map((row) => row.map(String)));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Width of a text as a terminal shows it, one column a character. */
const widthOf = (text: string) => Math.max(...text.split('\n').map((line) => [...line].length));

/**
 * A table for a terminal: one that is wider is given in parts below each other, each beginning with the first column,
 * because wrapped rows cannot be read.
 */
export function fittedTable(
  columns: number,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const part = (from: number, to: number) => {
    const pick = <T>(cells: readonly T[]): T[] => [...cells.slice(0, 1), ...cells.slice(from, to)];
    return table(pick(head), rows.map(pick));
  };
  const parts: string[] = [];
  for (let from = 1; from < head.length; ) {
    let to = head.length;
    while (to > from + 1 && widthOf(part(from, to)) > columns) to -= 1;
    parts.push(part(from, to));
    from = to;
  }
  return parts.join('\n\n');
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
