import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Packaged } from '../packaging.ts';
import { at, everyValue, isTree, type Json, list, ofType } from '../template.ts';

/** Metrics of docs/metrics.md, which another test holds against the code. */
const own = new Set(
  [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `([A-Z]\w+)`/gm)].map(([, name]) => name),
);

interface Watched {
  readonly namespace: Json | undefined;
  readonly name: Json | undefined;
}

/** Metrics an alarm looks at, simple or in an expression. */
function metricsOf(properties: Json): Watched[] {
  const inExpression = everyValue(properties, 'Metric');
  const simple = isTree(properties) && properties['MetricName'] !== undefined ? [properties] : [];
  return [...inExpression, ...simple].map((metric) => ({
    namespace: at(metric, 'Namespace'),
    name: at(metric, 'MetricName'),
  }));
}

/** Alarms and the dashboard. */
export function checkWatching(packaged: () => Packaged): void {
  const alarms = () => ofType(packaged().template, 'AWS::CloudWatch::Alarm');
  const alarm = (id: string) => packaged().template.Resources[id]?.Properties ?? {};

  it('tells the alerts topic of every alarm and of its end', () => {
    expect(alarms().length).toBeGreaterThanOrEqual(11);
    for (const [id, { Properties: properties }] of alarms()) {
      expect(properties['AlarmActions'], id).toEqual([{ Ref: 'AlertsTopicArn' }]);
      expect(properties['OKActions'], id).toEqual([{ Ref: 'AlertsTopicArn' }]);
      expect(String(properties['AlarmDescription']).length, id).toBeGreaterThan(20);
    }
  });

  it('looks only at metrics that are counted', () => {
    const ours = alarms()
      .flatMap(([, { Properties: p }]) => metricsOf(p))
      .filter(({ namespace }) => namespace === 'Epsilon');
    expect(ours.length).toBeGreaterThanOrEqual(5);
    for (const { name } of ours) expect(own.has(String(name)), String(name)).toBe(true);
    const body = String(
      at(packaged().template.Resources['ControlPlaneDashboard']?.Properties, 'DashboardBody', 'Fn::Sub'),
    );
    const shown = [...body.matchAll(/"Epsilon","(\w+)"/g)].map(([, name]) => name);
    expect(shown.length).toBeGreaterThanOrEqual(10);
    for (const name of shown) expect(own.has(name), name).toBe(true);
  });

  it('watches the success of seven days against the target of the specification', () => {
    const properties = alarm('SuccessRateAlarm');
    expect(properties['ComparisonOperator']).toBe('LessThanOrEqualToThreshold');
    expect(properties['Threshold']).toBe(0.95);
    expect(everyValue(properties, 'Period')).toEqual([604_800, 604_800]);
    expect(
      list(properties['Metrics'])
        .map((one) => at(one, 'Expression'))
        .join(''),
    ).toContain('FILL(succeeded, 0) / (FILL(succeeded, 0) + FILL(failed, 0))');
  });

  it('rings when the reconciler says nothing', () => {
    expect(alarm('ReconcilerSilentAlarm')).toMatchObject({
      MetricName: 'ReconcilerPasses',
      TreatMissingData: 'breaching',
      ComparisonOperator: 'LessThanThreshold',
    });
  });

  it('watches the depth of every queue', () => {
    const watched = alarms().flatMap(([, { Properties: p }]) =>
      p['MetricName'] === 'ApproximateNumberOfMessagesVisible'
        ? [at(p, 'Dimensions', 0, 'Value', 'Fn::GetAtt', 0)]
        : [],
    );
    expect(watched.sort()).toEqual(
      ofType(packaged().template, 'AWS::SQS::Queue')
        .map(([id]) => id)
        .sort(),
    );
  });

  it('shows a dashboard that is JSON, with every alarm', () => {
    const body = String(
      at(packaged().template.Resources['ControlPlaneDashboard']?.Properties, 'DashboardBody', 'Fn::Sub'),
    );
    const parsed = JSON.parse(body) as { widgets: unknown[] };
    expect(parsed.widgets.length).toBeGreaterThanOrEqual(6);
    for (const [id] of alarms()) expect(body, id).toContain(`\${${id}.Arn}`);
  });
}
