import { describe, expect, it } from 'vitest';
import type { Block } from '../../../lib/reports/blocks.ts';
import { escaped } from '../../../lib/reports/escaped.ts';
import { renderReport } from '../../../lib/reports/report.ts';
import { numberScale, timeScale } from '../../../lib/reports/scale.ts';

const at = Date.parse('2026-11-24T02:00:00Z');

const pageOf = (...blocks: Block[]) =>
  renderReport({ title: 'A <report>', madeAt: '2026-11-24', blocks, sections: [] });

describe('a report', () => {
  it('escapes every text, whichever block it is in', () => {
    const bad = '<b onload="x">&\'';
    const tone = 'critical' as const;
    const point = { at, value: 1 };
    const page = renderReport({
      title: bad,
      madeAt: bad,
      blocks: [
        { kind: 'text', text: bad },
        { kind: 'facts', facts: [{ name: bad, value: bad }] },
        { kind: 'table', caption: bad, head: [bad], rows: [[bad]] },
        { kind: 'table', caption: bad, head: [bad], rows: [] },
        {
          kind: 'lines',
          title: bad,
          lines: [{ name: bad, points: [point] }],
          band: { name: bad, points: [{ at, low: 0, high: 2 }] },
          marks: [{ ...point, label: bad, tone }],
          limits: [{ name: bad, value: 1 }],
          show: () => bad,
        },
        { kind: 'bars', title: bad, series: [bad, bad], bars: [{ label: bad, values: [1, 2] }] },
        {
          kind: 'timeline',
          title: bad,
          from: at,
          to: at + 9e6,
          rows: [{ label: bad, spans: [{ from: at, to: at + 9e6, label: bad, tone }] }],
        },
      ],
      sections: [{ heading: bad, blocks: [] }],
    });
    expect(page).not.toContain('<b ');
    expect(page.replaceAll(/<[^>]*>/g, '')).not.toMatch(/[<>]/);
  });

  it('contains no script and asks nothing of a network', () => {
    const page = pageOf({ kind: 'text', text: 'said' });
    expect(page).not.toMatch(/<script|https?:|@import|url\(/);
    expect(page).toContain("default-src 'none'");
  });

  it('shows blocks without data as empty', () => {
    const page = pageOf(
      { kind: 'lines', title: 'nothing', lines: [{ name: 'a', points: [{ at, value: null }] }] },
      { kind: 'bars', title: 'nothing', series: [], bars: [] },
      { kind: 'timeline', title: 'nothing', from: at, to: at, rows: [] },
    );
    expect(page.match(/Nothing to show yet/g)).toHaveLength(3);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('interrupts a line where a value is missing', () => {
    const points = [1, 2, null, 4, 5].map((value, index) => ({ at: at + index, value }));
    const page = pageOf({ kind: 'lines', title: 'gap', lines: [{ name: 'a', points }] });
    expect(page.match(/<polyline/g)).toHaveLength(2);
  });

  it('draws values without extent, at one moment, and very large ones', () => {
    for (const values of [[0], [0, 0], [5, 5], [-1e12, 1e12], [1e-9, 2e-9]]) {
      const points = values.map((value, index) => ({ at: at + index, value }));
      const page = pageOf({ kind: 'lines', title: 'x', lines: [{ name: 'a', points }] });
      expect(page).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

describe('an axis', () => {
  it('has round numbers that contain the values', () => {
    const { ticks, place } = numberScale({ least: 3, most: 97 }, { from: 200, to: 0 });
    expect(ticks.map(({ label }) => label)).toEqual(['0', '20', '40', '60', '80', '100']);
    expect([place(0), place(100)]).toEqual([200, 0]);
  });

  it('of time has whole days, and hours where the time is short', () => {
    const days = timeScale({ least: at, most: at + 7 * 86_400_000 }, { from: 0, to: 100 });
    expect(days.ticks.map(({ label }) => label).slice(0, 2)).toEqual(['11-25', '11-26']);
    const hours = timeScale({ least: at, most: at + 6 * 3_600_000 }, { from: 0, to: 100 });
    expect(hours.ticks.map(({ label }) => label).slice(0, 2)).toEqual(['02:00', '03:00']);
  });
});

describe('text of others', () => {
  it('loses control characters, turned directions and broken halves of characters', () => {
    expect(escaped('a\u0000b\u202ec\ud800d')).toBe('a b c\ufffdd');
  });
});
