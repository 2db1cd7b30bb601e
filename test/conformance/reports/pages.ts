import { judgeDrill } from '../../../lib/backup/drill.ts';
import { drillPage } from '../../../lib/backup/drill-page.ts';
import { qualityPage } from '../../../lib/quality/quality-page.ts';
import { defaultRules } from '../../../lib/quality/rules.ts';
import { renderReport } from '../../../lib/reports/report.ts';
import { judgedHistory, judgedPartitions, ordersContract } from '../../fixtures/quality-history.ts';
import { aDrill } from '../../lib/backup/a-drill.ts';

/** Text that would be markup, a script or an order to a terminal if a page let it. */
const hostile = `<script>document.title='taken'</script><img src=x onerror="document.title='taken'">&"'\u202e\u0007 ${'w'.repeat(300)}`;

const until = Date.parse('2026-11-27T02:00:00Z');
const hour = 3_600_000;

function qualityOfAcme(): string {
  const history = judgedHistory(24 * 42, { until, broken: new Set([600, 601, 900]) });
  const [newest] = history;
  return renderReport(
    qualityPage({
      tenantId: 'acme',
      standing: {
        verdict: {
          tenantId: 'acme',
          verdict: newest?.verdict ?? 'passed',
          findings: newest?.findings ?? [],
          checkedAt: newest?.checkedAt ?? '',
          since: history.at(-1)?.checkedAt ?? '',
        },
        override: undefined,
      },
      rules: defaultRules,
      history,
      dataset: {
        contract: ordersContract,
        partitions: judgedPartitions(24 * 42, {
          until,
          broken: new Set([600, 601, 900]),
          empty: new Set([700]),
          missing: new Set([800, 801, 802]),
        }),
      },
      madeAt: new Date(until).toISOString(),
    }),
  );
}

function everyBlock(): string {
  const points = Array.from({ length: 100 }, (_, index) => ({
    at: until + index * hour,
    value: index % 20 === 7 ? null : Math.sin(index / 5) * 1e6,
  }));
  return renderReport({
    title: `Every block ${hostile}`,
    madeAt: '2026-11-27 02:00:00',
    blocks: [
      { kind: 'text', text: hostile },
      {
        kind: 'facts',
        facts: [
          { name: hostile.slice(-20), value: hostile, tone: 'critical' },
          { name: 'Good', value: 'fine', tone: 'good' },
        ],
      },
    ],
    sections: [
      {
        heading: 'Charts',
        blocks: [
          {
            kind: 'lines',
            title: 'Two lines with gaps',
            lines: [
              { name: 'first', points },
              { name: hostile.slice(0, 60), points: points.map(({ at }) => ({ at, value: at % 7 })) },
            ],
            marks: [{ at: until + 10 * hour, value: 0, label: hostile, tone: 'critical' }],
            limits: [{ name: 'at most', value: 500_000 }],
          },
          { kind: 'lines', title: 'One point', lines: [{ name: 'one', points: [{ at: until, value: 3 }] }] },
          { kind: 'lines', title: 'No point', lines: [] },
          {
            kind: 'bars',
            title: 'Bars',
            series: ['spot', 'on-demand'],
            bars: Array.from({ length: 24 }, (_, index) => ({
              label: `${String(index).padStart(2, '0')}:00`,
              values: [index, 24 - index],
            })),
            limits: [{ name: 'queue size', value: 30 }],
          },
          { kind: 'bars', title: 'One bar', series: ['count'], bars: [{ label: hostile, values: [0] }] },
          {
            kind: 'timeline',
            title: 'What happened',
            from: until,
            to: until + 5 * hour,
            rows: [
              {
                label: 'restore of the database of acme',
                spans: [
                  { from: until - hour, to: until + hour, label: 'snapshot', tone: 'neutral' },
                  { from: until + hour, to: until + 2 * hour, label: 'restored', tone: 'good' },
                  { from: until + 2 * hour, to: until + 2.02 * hour, label: 'short', tone: 'warning' },
                  { from: until + 3 * hour, to: until + 9 * hour, label: hostile, tone: 'critical' },
                ],
              },
              { label: hostile, spans: [] },
            ],
          },
          {
            kind: 'table',
            caption: 'A table',
            head: ['Name', 'Count', 'Remark', 'And', 'Many', 'More', 'Columns', 'Than', 'Fit'],
            rows: [[hostile, 12_345, 'fine', 'a', 'b', 'c', 'd', 'e', 'f'.repeat(80)]],
          },
          { kind: 'table', caption: 'Without rows', head: ['Name'], rows: [] },
        ],
      },
    ],
  });
}

/** Pages that are looked at, by name. */
export const pages: Readonly<Record<string, () => string>> = {
  quality: qualityOfAcme,
  drill: () => renderReport(drillPage(aDrill(), judgeDrill(aDrill()))),
  blocks: everyBlock,
};
