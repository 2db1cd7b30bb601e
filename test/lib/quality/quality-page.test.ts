import { describe, expect, it } from 'vitest';
import { datasetSections } from '../../../lib/quality/datasets/dataset-sections.ts';
import { qualityPage } from '../../../lib/quality/quality-page.ts';
import { defaultRules } from '../../../lib/quality/rules.ts';
import type { LinesBlock } from '../../../lib/reports/blocks.ts';
import { renderReport } from '../../../lib/reports/report.ts';
import { judgedPartitions, ordersContract } from '../../fixtures/quality-history.ts';

const until = Date.parse('2026-11-27T02:00:00Z');

const partitions = judgedPartitions(24 * 20, {
  until,
  broken: new Set([400]),
  empty: new Set([420]),
  missing: new Set([440, 441]),
});

const sections = datasetSections(ordersContract, partitions);
const blocks = sections.flatMap((section) => section.blocks);
const chart = (title: string) =>
  blocks.find((block): block is LinesBlock => block.kind === 'lines' && block.title === title);
const hourOf = (index: number) => until - (24 * 20 - index) * 3_600_000;

describe("the page of a tenant's dataset", () => {
  it('shows each number with what was expected, and marks what was found where it was', () => {
    const rows = chart('rows');
    expect(rows?.marks).toMatchObject([
      {
        at: hourOf(400),
        value: expect.closeTo(51),
        tone: 'critical',
        label: expect.stringContaining('at least 100'),
      },
      { at: hourOf(400), label: expect.stringContaining('expected') },
    ]);
    const nulls = chart('rows without "amount"');
    expect(nulls?.marks?.map(({ at }) => at)).toEqual([hourOf(420), hourOf(420)]);
    expect(chart('rows without "id"')?.marks).toEqual([]);
    const band = rows?.band?.points.find(({ at }) => at === hourOf(399));
    const line = rows?.lines[0]?.points.find(({ at }) => at === hourOf(399));
    expect(band?.low).toBeLessThan(line?.value ?? 0);
    expect(band?.high).toBeGreaterThan(line?.value ?? 0);
    expect(chart('values of "country" (share of rows)')?.lines.map(({ name }) => name)).toEqual(['DE', 'FR']);
  });

  it('interrupts the lines where partitions are missing', () => {
    const { points = [] } = chart('rows')?.lines[0] ?? {};
    expect(points.filter(({ value }) => value === null).map(({ at }) => at)).toEqual([hourOf(440.5)]);
  });

  it('names partitions with findings, newest first, and nothing of a dataset that was not judged', () => {
    const table = blocks.find((block) => block.kind === 'table');
    expect(table?.rows.map(([partition]) => partition)).toEqual(['2026-11-24T14', '2026-11-23T18']);
    expect(datasetSections(ordersContract, [])).toHaveLength(1);
  });

  it('is part of the page of its tenant', () => {
    const page = {
      tenantId: 'acme',
      standing: { verdict: undefined, override: undefined },
      rules: defaultRules,
      history: [],
      madeAt: new Date(until).toISOString(),
    };
    const whole = renderReport(qualityPage({ ...page, dataset: { contract: ordersContract, partitions } }));
    expect(whole).toContain('Numbers of the dataset over time');
    expect(renderReport(qualityPage(page))).not.toContain('Dataset');
  });
});
