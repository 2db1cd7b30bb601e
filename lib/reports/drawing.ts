import { escaped } from './escaped.ts';
import type { Scale } from './scale.ts';

/** Width of a chart in its own units; the page scales it. */
export const chartWidth = 760;

/** Room for the axes around the area that is drawn on. */
export const margin = { left: 88, right: 22, top: 18, bottom: 26 };

/** A place in a drawing, in tenths of a unit at most. */
export const rounded = (value: number): string => String(Math.round(value * 10) / 10);

/** Names of a chart's lines, bars or spans, each with the colour and shape it is drawn in. */
export function legend(entries: readonly { readonly name: string; readonly look: string }[]): string {
  if (entries.length === 0) return '';
  const items = entries.map(({ name, look }) => `<li><span class="key ${look}"></span>${escaped(name)}</li>`);
  return `<ul class="legend">${items.join('')}</ul>`;
}

/** Lines across a chart at the ticks of its number axis, with their labels. */
export function rows({ place, ticks }: Scale): string {
  return ticks
    .map(({ at, label }) => {
      const y = rounded(place(at));
      return `<line class="grid" x1="${margin.left}" x2="${chartWidth - margin.right}" y1="${y}" y2="${y}"/><text class="tick" x="${margin.left - 8}" y="${y}" dy="0.32em" text-anchor="end">${escaped(label)}</text>`;
    })
    .join('');
}

/** Ticks and labels below a chart. */
export function columns({ place, ticks }: Scale, height: number): string {
  return ticks
    .map(({ at, label }) => {
      const x = rounded(place(at));
      const foot = height - margin.bottom;
      return `<line class="grid" x1="${x}" x2="${x}" y1="${foot}" y2="${foot + 4}"/><text class="tick" x="${x}" y="${foot + 17}" text-anchor="middle">${escaped(label)}</text>`;
    })
    .join('');
}

/** Bounds across a chart, dashed, each with its name. */
export function limitLines(
  limits: readonly { readonly name: string; readonly value: number }[],
  { place }: Scale,
): string {
  return limits
    .map(({ name, value }) => {
      const y = rounded(place(value));
      return `<line class="limit" x1="${margin.left}" x2="${chartWidth - margin.right}" y1="${y}" y2="${y}"/><text class="tick" x="${chartWidth - margin.right}" y="${y}" dy="-0.4em" text-anchor="end">${escaped(name)}</text>`;
    })
    .join('');
}

/** A chart with its title and legend; `label` is what somebody is told who cannot see it. */
export function figure(
  { title, label, height, key = '' }: { title: string; label: string; height: number; key?: string },
  content: string,
): string {
  return `<figure><figcaption>${escaped(title)}</figcaption>${key}
<div class="wide" tabindex="0"><svg viewBox="0 0 ${chartWidth} ${height}" role="img" aria-label="${escaped(label)}">${content}</svg></div></figure>`;
}

/** A chart that has nothing to show. */
export function emptyFigure(title: string): string {
  return `<figure><figcaption>${escaped(title)}</figcaption><p class="none">Nothing to show yet.</p></figure>`;
}
