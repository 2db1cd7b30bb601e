import type { LinesBlock } from './blocks.ts';
import {
  chartWidth,
  columns,
  emptyFigure,
  figure,
  legend,
  limitLines,
  margin,
  rounded,
  rows,
} from './drawing.ts';
import { escaped } from './escaped.ts';
import { numberScale, rangeOf, type Scale, showNumber, timeScale } from './scale.ts';

const height = 240;

interface Axes {
  readonly x: Scale;
  readonly y: Scale;
}

/** The parts of a series between interruptions. */
function unbroken<P>(points: readonly P[], isThere: (point: P) => boolean): P[][] {
  const parts: P[][] = [];
  let open: P[] | undefined;
  for (const point of points) {
    if (!isThere(point)) open = undefined;
    else if (open) open.push(point);
    else {
      open = [point];
      parts.push(open);
    }
  }
  return parts;
}

/** A line; a point alone is drawn as a dot, because a line of one point cannot be seen. */
function drawLine({ points }: LinesBlock['lines'][number], index: number, { x, y }: Axes): string {
  return unbroken(points, ({ value }) => value !== null)
    .map((part) => {
      const places = part.map(
        ({ at, value }) => [rounded(x.place(at)), rounded(y.place(value ?? 0))] as const,
      );
      const [first] = places;
      if (first && places.length === 1)
        return `<circle class="dot series${index}" cx="${first[0]}" cy="${first[1]}" r="2.5"/>`;
      return `<polyline class="line series${index}" points="${places.map((place) => place.join(',')).join(' ')}"/>`;
    })
    .join('');
}

function drawBand(band: LinesBlock['band'], { x, y }: Axes): string {
  return unbroken(band?.points ?? [], ({ low, high }) => low !== null && high !== null)
    .map((part) => {
      const upper = part.map(({ at, high }) => `${rounded(x.place(at))},${rounded(y.place(high ?? 0))}`);
      const lower = part.map(({ at, low }) => `${rounded(x.place(at))},${rounded(y.place(low ?? 0))}`);
      return `<polygon class="band" points="${[...upper, ...lower.toReversed()].join(' ')}"/>`;
    })
    .join('');
}

/** Warnings are rings and critical marks are filled diamonds, so that they differ without colour. */
function drawMarks(marks: LinesBlock['marks'], { x, y }: Axes): string {
  return (marks ?? [])
    .map(({ at, value, label, tone }) => {
      const [left, top] = [rounded(x.place(at)), rounded(y.place(value))];
      const shape =
        tone === 'critical'
          ? `<path class="mark critical" transform="translate(${left} ${top})" d="M0 -7L7 0L0 7L-7 0Z"/>`
          : `<circle class="mark ${tone}" cx="${left}" cy="${top}" r="5.5"/>`;
      return `<g>${shape}<title>${escaped(label)}</title></g>`;
    })
    .join('');
}

function axesOf(chart: LinesBlock): Axes | undefined {
  const { lines, band, marks = [], limits = [], fromZero = false, show } = chart;
  const points = lines.flatMap((line) => line.points);
  const bounds = band?.points ?? [];
  const times = rangeOf([...points, ...bounds, ...marks].map(({ at }) => at));
  const values = rangeOf([
    ...points.flatMap(({ value }) => value ?? []),
    ...bounds.flatMap(({ low, high }) => [low ?? [], high ?? []].flat()),
    ...[...marks, ...limits].map(({ value }) => value),
    ...(fromZero ? [0] : []),
  ]);
  if (!times || !values) return undefined;
  return {
    x: timeScale(times, { from: margin.left, to: chartWidth - margin.right }),
    y: numberScale(values, { from: height - margin.bottom, to: margin.top }, show),
  };
}

function described({ title, lines, marks = [], show = showNumber }: LinesBlock): string {
  const each = lines.map(({ name, points }) => {
    const range = rangeOf(points.flatMap(({ value }) => value ?? []));
    return range ? `${name}, ${show(range.least)} to ${show(range.most)}` : `${name}, no values`;
  });
  return `${title}: ${each.join('; ')}; ${marks.length} marked.`;
}

/** Values over time with what was expected and what is to be noticed. */
export function renderLineChart(chart: LinesBlock): string {
  const axes = axesOf(chart);
  if (!axes) return emptyFigure(chart.title);
  const { lines, band, marks = [], limits = [] } = chart;
  const tones = (['warning', 'critical'] as const).filter((tone) => marks.some((mark) => mark.tone === tone));
  const key = legend([
    ...lines.map(({ name }, index) => ({ name, look: `series${index}` })),
    ...(band ? [{ name: band.name, look: 'band' }] : []),
    ...tones.map((tone) => ({ name: tone, look: `mark ${tone}` })),
  ]);
  const content = [
    rows(axes.y),
    columns(axes.x, height),
    drawBand(band, axes),
    limitLines(limits, axes.y),
    ...lines.map((line, index) => drawLine(line, index, axes)),
    drawMarks(marks, axes),
  ];
  return figure({ title: chart.title, label: described(chart), height, key }, content.join(''));
}
