import Table from 'cli-table3';
import stringWidth from 'string-width';
import { type Output, plain } from './output.ts';

type Cell = string | number;

const noLines = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((name) => [name, '']),
);

/** Rows under their heads, numbers to the right; a row is one line, however long. */
function inColumns(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const aligned = head.map((_, column) =>
    rows.every((row) => typeof row[column] === 'number') ? 'right' : 'left',
  );
  const made = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    chars: { ...noLines, middle: ' ' },
    colAligns: aligned as ('left' | 'right')[],
  });
  made.push(...rows.map((row) => row.map((cell) => plain(String(cell)))));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** One block a row: the first cell, and below it every other that says anything, each after its head. */
function inBlocks(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const widest = Math.max(...head.slice(1).map((name) => name.length));
  return rows
    .map(([first, ...others]) =>
      [
        plain(String(first)),
        ...others
          .map((cell, at) => ({ name: head[at + 1] ?? '', text: plain(String(cell)) }))
          .filter(({ text }) => text !== '')
          .map(({ name, text }) => `  ${name.toLowerCase().padEnd(widest)}  ${text}`),
      ].join('\n'),
    )
    .join('\n\n');
}

/**
 * Rows for people. A terminal gets a table where it has room for one, and one block a row otherwise: folded rows cannot be
 * read. Output that goes elsewhere has one line a row.
 */
export function table(
  { columns }: Pick<Output, 'columns'>,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  if (rows.length === 0) return '(none)';
  const whole = inColumns(head, rows);
  const width = Math.max(...whole.split('\n').map((line) => stringWidth(line)));
  return columns === undefined || width <= columns ? whole : inBlocks(head, rows);
}
