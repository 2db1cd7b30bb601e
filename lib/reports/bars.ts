import type { BarsBlock } from './blocks.ts';
import { chartWidth, emptyFigure, figure, legend, limitLines, margin, rounded, rows } from './drawing.ts';
import { escaped } from './escaped.ts';
import { numberScale, type Scale, showNumber } from './scale.ts';

const height = 240;

/** Labels that fit side by side below the bars; of more, every second, third, ... is written. */
const mostLabels = 16;

/** Characters of a label at most. */
const mostLabel = 24;

function drawBar(
  { label, values }: BarsBlock['bars'][number],
  { x, width, y, chart }: { x: number; width: number; y: Scale; chart: BarsBlock },
): string {
  const { series, show = showNumber } = chart;
  let below = 0;
  const parts = values.map((value, index) => {
    const [foot, head] = [y.place(below), y.place(below + value)];
    below += value;
    const said = `${label}, ${series[index] ?? ''}: ${show(value)}`;
    return `<rect class="bar series${index}" x="${rounded(x)}" y="${rounded(head)}" width="${rounded(width)}" height="${rounded(foot - head)}"><title>${escaped(said)}</title></rect>`;
  });
  return parts.join('');
}

/** Bars by category, several series on top of each other. */
export function renderBars(chart: BarsBlock): string {
  const { title, series, bars, limits = [], show = showNumber } = chart;
  if (bars.length === 0) return emptyFigure(title);
  const totals = bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const most = Math.max(...totals, ...limits.map(({ value }) => value));
  const y = numberScale({ least: 0, most }, { from: height - margin.bottom, to: margin.top }, show);
  const room = (chartWidth - margin.left - margin.right) / bars.length;
  const every = Math.ceil(bars.length / mostLabels);
  const longest = Math.max(3, Math.min(mostLabel, Math.floor((room * every) / 6.5)));
  const drawn = bars.map((bar, index) => {
    const x = margin.left + index * room;
    const middle = rounded(x + room / 2);
    const text = bar.label.length > longest ? `${bar.label.slice(0, longest - 1)}…` : bar.label;
    const label =
      index % every === 0
        ? `<text class="tick" x="${middle}" y="${height - margin.bottom + 17}" text-anchor="middle">${escaped(text)}</text>`
        : '';
    return `${drawBar(bar, { x: x + room * 0.1, width: room * 0.8, y, chart })}${label}`;
  });
  const key =
    series.length > 1 ? legend(series.map((name, index) => ({ name, look: `series${index}` }))) : '';
  const label = `${title}: ${bars.length} bars, at most ${show(Math.max(...totals))}.`;
  return figure({ title, label, height, key }, `${rows(y)}${drawn.join('')}${limitLines(limits, y)}`);
}
