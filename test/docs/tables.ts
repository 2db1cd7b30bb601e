import { readFileSync } from 'node:fs';

/** Cells of the rows of a page's tables, without heads and rules: of those under one heading of second order, or of all. */
export function tableRows(page: string, heading?: string): string[][] {
  const text = readFileSync(page, 'utf8');
  const section = heading === undefined ? text : text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0];
  const lines = (section ?? '').split('\n').map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const isRule = (line: readonly string[] = []) => line.length > 0 && line.every((cell) => /^-+$/.test(cell));
  return lines.filter((line, index) => line.length > 0 && !isRule(line) && !isRule(lines[index + 1]));
}

/** What stands between backticks in a cell. */
export function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}
