import type { Declared, Resources } from './declared.ts';
import { queueIds } from './queues.ts';

type Widget = Readonly<Record<string, unknown>>;

/** Three graphs stand in a row of 24 columns. */
const graphSize = { width: 8, height: 6 };

/** A metric of the environment in a graph; `more` are further dimensions, then a graph's own options. */
type Line = readonly unknown[];

function linesOf({ environment }: Declared) {
  return (name: string, ...more: readonly unknown[]): Line => [
    'Epsilon',
    name,
    'environment',
    environment,
    ...more,
  ];
}

function graph(title: string, metrics: readonly Line[], how: Widget): Widget {
  return { title, region: '${AWS::Region}', metrics, ...how };
}

function graphs(declared: Declared): Widget[] {
  const line = linesOf(declared);
  const total = 'FILL(s, 0) + FILL(f, 0)';
  const rate = {
    id: 'rate',
    label: 'success rate',
    expression: `IF(${total} > 0, FILL(s, 0) / (${total}), 1)`,
  };
  const lines = (...names: readonly string[]) => names.map((name) => line(name));
  return [
    graph(
      `Success of seven days (target: more than ${declared.successTarget})`,
      [
        [rate],
        line('RunsSucceeded', { id: 's', label: 'succeeded' }),
        line('RunsFailed', { id: 'f', label: 'failed' }),
      ],
      { view: 'singleValue', period: 604_800, stat: 'Sum', singleValueFullPrecision: false },
    ),
    graph('Runs', lines('RunsBegun', 'RunsSucceeded', 'RunsFailed'), {
      period: 3600,
      stat: 'Sum',
      stacked: false,
    }),
    graph(
      'Tenants of each night',
      ['succeeded', 'failed', 'skipped', 'busy'].map((outcome) => line('NightTenants', 'outcome', outcome)),
      { period: 86_400, stat: 'Sum', stacked: true, view: 'timeSeries' },
    ),
    graph(
      'Reconciler and callbacks',
      lines(
        'ReconcilerPasses',
        'ReconcilerFaults',
        'CallbacksDelivered',
        'CallbacksGone',
        'JobEventsUnknown',
      ),
      { period: 300, stat: 'Sum' },
    ),
    graph(
      'Duration of handlers, p95',
      Object.keys(declared.functions).map((key) => line('HandlerDuration', 'function', key)),
      { period: 300, stat: 'p95' },
    ),
    graph(
      'What could not be delivered or done',
      [
        ...queueIds.map((id) => [
          'AWS/SQS',
          'ApproximateNumberOfMessagesVisible',
          'QueueName',
          `\${${id}.QueueName}`,
        ]),
        line('HandlerFaults', { stat: 'Sum' }),
      ],
      { period: 300, stat: 'Maximum' },
    ),
  ];
}

/** One page for the question "did the night go well, and is anything stuck?": every alarm, then the graphs. */
export function dashboard(declared: Declared, alarms: Resources): Resources {
  const top = { x: 0, y: 0, width: 24, height: 3 };
  const body = {
    start: '-P7D',
    widgets: [
      {
        type: 'alarm',
        ...top,
        properties: { title: 'Alarms', alarms: Object.keys(alarms).map((id) => `\${${id}.Arn}`) },
      },
      ...graphs(declared).map((properties, index) => ({
        type: 'metric',
        x: (index % 3) * graphSize.width,
        y: top.height + Math.floor(index / 3) * graphSize.height,
        ...graphSize,
        properties,
      })),
    ],
  };
  return {
    ControlPlaneDashboard: {
      Type: 'AWS::CloudWatch::Dashboard',
      Properties: { DashboardName: declared.prefix, DashboardBody: { 'Fn::Sub': JSON.stringify(body) } },
    },
  };
}
