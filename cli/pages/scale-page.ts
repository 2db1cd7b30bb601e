import type { Block, LinesBlock, TableBlock } from '../../lib/reports/blocks.ts';
import { renderReport } from '../../lib/reports/report.ts';
import type { ScalingPlan, ScalingSettings } from '../../lib/scaling/decide.ts';
import { hourMs } from '../../lib/scaling/hourly-series.ts';
import type { Outlook } from '../../lib/scaling/outlook.ts';
import { toTheSecond } from '../output.ts';

/** What a page of a plan is made from. */
export interface ScalePage {
  readonly file: string;
  readonly madeAt: string;
  readonly plan: ScalingPlan;
  /** Absent where nobody said what a replica carries. */
  readonly capacity?: { readonly settings: ScalingSettings; readonly outlook: Outlook };
}

/** Hours of history that are drawn before the forecast. */
const drawnHours = 7 * 24;

const instant = (at: number) => toTheSecond(new Date(at).toISOString());

const short = (value: number) => Number(value.toPrecision(4));

function facts({ plan: { series, told, worth }, capacity }: ScalePage): Block {
  return {
    kind: 'facts',
    facts: [
      { name: 'Forecast', value: `${told.hours.length} hours from ${instant(told.hours[0]?.at ?? 0)}` },
      { name: 'From', value: told.basis },
      ...(worth
        ? [
            {
              name: worth.engaged ? 'Plan is followed' : 'Plan is not followed',
              value: worth.because,
              tone: worth.engaged ? ('good' as const) : ('neutral' as const),
            },
          ]
        : []),
      ...(capacity
        ? [
            {
              name: 'Nodes of these hours',
              value: `$${capacity.outlook.plannedCosts.toFixed(2)}, with the HPA alone $${capacity.outlook.aloneCosts.toFixed(2)}`,
            },
          ]
        : []),
      ...series.notes.map((note) => ({ name: 'Note', value: note, tone: 'warning' as const })),
    ],
  };
}

function loadChart({ plan: { series, told } }: ScalePage): LinesBlock {
  const { values, measured, startsAt } = series;
  const first = Math.max(0, values.length - drawnHours);
  return {
    kind: 'lines',
    title: 'Peak load by the hour',
    fromZero: true,
    lines: [
      {
        name: 'measured',
        points: [...values.subarray(first)].map((value, hour) => ({
          at: startsAt + (first + hour) * hourMs,
          value: measured[first + hour] === 1 ? value : null,
        })),
      },
      { name: 'forecast', points: told.hours.map(({ at, value }) => ({ at, value })) },
    ],
    band: { name: '95 %', points: told.hours.map(({ at, low, high }) => ({ at, low, high })) },
  };
}

function replicaChart({ plan: { wouldBe, worth, told }, capacity }: ScalePage): Block[] {
  if (!capacity) return [];
  const { economy, fleet } = capacity.settings;
  return [
    {
      kind: 'lines',
      title: 'Least replicas',
      fromZero: true,
      lines: [
        {
          name: worth?.engaged ? 'plan' : 'plan, if it were followed',
          points: wouldBe.map(({ at, replicas }) => ({ at, value: replicas })),
        },
        {
          name: 'expected load, in replicas',
          // An hour is a level, not a point between two others.
          points: told.hours.flatMap(({ at, value }) =>
            [at, at + hourMs - 1].map((end) => ({ at: end, value: value / economy.perReplica })),
          ),
        },
      ],
      limits: [{ name: 'HPA maximum', value: fleet.maxReplicas }],
    },
  ];
}

function hoursTable({ plan: { told, floors }, capacity }: ScalePage): TableBlock {
  const floorOf = (at: number) =>
    Math.max(
      ...floors.filter((floor) => floor.at >= at && floor.at < at + hourMs).map(({ replicas }) => replicas),
    );
  return {
    kind: 'table',
    head: ['Hour', 'Load', 'Low', 'High', ...(capacity ? ['Least replicas'] : [])],
    rows: told.hours.map(({ at, value, low, high }) => [
      instant(at),
      short(value),
      short(low),
      short(high),
      ...(capacity ? [floorOf(at)] : []),
    ]),
  };
}

/** A self-contained page: history, forecast with its interval, and the least replicas hour by hour. */
export function scalePage(page: ScalePage): string {
  return renderReport({
    title: `Load and capacity: ${page.file}`,
    madeAt: page.madeAt,
    blocks: [facts(page), loadChart(page), ...replicaChart(page)],
    sections: [{ heading: 'Hours', blocks: [hoursTable(page)] }],
  });
}
