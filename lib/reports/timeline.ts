import type { TimelineBlock } from './blocks.ts';
import { chartWidth, columns, emptyFigure, figure, margin, rounded } from './drawing.ts';
import { escaped } from './escaped.ts';
import { timeScale } from './scale.ts';

const rowHeight = 26;

/** Room for the labels of rows. */
const left = 150;

/** Characters that fit into that room, and into a unit of a span's length. */
const fits = { label: 19, aCharacter: 6.6 };

const cut = (text: string, most: number) =>
  text.length <= most ? text : most < 3 ? '' : `${text.slice(0, most - 1)}…`;

/** What happened when; each span names itself where there is room, and in full when it is pointed at. */
export function renderTimeline({ title, from, to, rows }: TimelineBlock): string {
  if (rows.length === 0) return emptyFigure(title);
  const x = timeScale({ least: from, most: to }, { from: left, to: chartWidth - margin.right });
  const height = margin.top + rows.length * rowHeight + margin.bottom;
  const within = (at: number) => x.place(Math.min(to, Math.max(from, at)));
  const drawn = rows.map(({ label, spans }, index) => {
    const top = margin.top + index * rowHeight;
    const bars = spans.map((span) => {
      const [begin, end] = [within(span.from), within(span.to)];
      const width = Math.max(2, end - begin);
      const text = cut(span.label, Math.floor((width - 8) / fits.aCharacter));
      return `<g><rect class="span ${span.tone}" x="${rounded(begin)}" y="${top + 3}" width="${rounded(width)}" height="${rowHeight - 6}" rx="3"/><text class="inside ${span.tone}" x="${rounded(begin + 4)}" y="${top + rowHeight / 2}" dy="0.32em">${escaped(text)}</text><title>${escaped(`${label}: ${span.label}, ${new Date(span.from).toISOString()} to ${new Date(span.to).toISOString()}`)}</title></g>`;
    });
    return `<text class="tick" x="${left - 8}" y="${top + rowHeight / 2}" dy="0.32em" text-anchor="end">${escaped(cut(label, fits.label))}</text>${bars.join('')}`;
  });
  const spans = rows.reduce((sum, row) => sum + row.spans.length, 0);
  const label = `${title}: ${spans} spans in ${rows.length} rows.`;
  return figure({ title, label, height }, `${columns(x, height)}${drawn.join('')}`);
}
