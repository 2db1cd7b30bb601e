import type { FactsBlock, TableBlock } from './blocks.ts';
import { escaped } from './escaped.ts';
import { showNumber } from './scale.ts';

/** Names beside their values. */
export function renderFacts({ facts }: FactsBlock): string {
  const rows = facts.map(
    ({ name, value, tone }) =>
      `<dt>${escaped(name)}</dt><dd${tone ? ` class="${tone}"` : ''}>${escaped(value)}</dd>`,
  );
  return `<dl>${rows.join('')}</dl>`;
}

const shown = (cell: string | number = '') => (typeof cell === 'number' ? showNumber(cell) : cell);

/** A table; one without rows says so. */
export function renderTable({ caption, head, rows }: TableBlock): string {
  if (rows.length === 0)
    return `<p class="none">${caption === undefined ? 'None.' : `${escaped(caption)}: none.`}</p>`;
  const numbers = head.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const as = (column: number) => (numbers[column] ? ' class="number"' : '');
  const heads = head.map((name, column) => `<th scope="col"${as(column)}>${escaped(name)}</th>`);
  const body = rows.map(
    (row) =>
      `<tr>${head.map((_, column) => `<td${as(column)}>${escaped(shown(row[column]))}</td>`).join('')}</tr>`,
  );
  return `<div class="wide" tabindex="0"><table>${caption === undefined ? '' : `<caption>${escaped(caption)}</caption>`}<thead><tr>${heads.join('')}</tr></thead><tbody>
${body.join('\n')}
</tbody></table></div>`;
}
