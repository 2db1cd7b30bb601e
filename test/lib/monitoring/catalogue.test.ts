import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderedFiles } from '../../../infra/prometheus/rendered.ts';
import { metricDefinitions } from '../../../lib/metrics/definitions.ts';
import { exposedName } from '../../../lib/metrics/exposed.ts';
import type { Alerts, Query } from '../../../lib/monitoring/alert.ts';
import { catalogue } from '../../../lib/monitoring/catalogue.ts';
import { cloudwatchDashboard, shownOfCloudWatch } from '../../../lib/monitoring/cloudwatch-dashboard.ts';
import { clusterDashboards } from '../../../lib/monitoring/cluster-dashboards.ts';
import { dashboards, grafanaDashboard } from '../../../lib/monitoring/dashboards.ts';
import { groupOf, type Rule } from '../../../lib/monitoring/rules.ts';
import { ownFigures } from '../../../local/metrics.ts';
import { openWatcherFigures } from '../../../watcher/metrics.ts';
import { faults } from '../../conformance/delivery/faults.ts';

const settings = { successTarget: 0.95 };
const names = Object.values<Alerts>(catalogue).flatMap((alerts) => Object.keys(alerts));
const { aws: _, ...read } = catalogue;
const rules = Object.entries(read).flatMap(([name, alerts]): Rule[] => groupOf(name, alerts, settings).rules);

/** Series that something of Epsilon exposes. */
const exposed = new Set([
  ...(Object.keys(metricDefinitions) as (keyof typeof metricDefinitions)[]).map(exposedName),
  ...Object.keys(ownFigures),
  ...[
    ...openWatcherFigures()
      .text()
      .matchAll(/^# TYPE (\w+)/gm),
  ].map(([, name = '']) => name),
]);

describe('the catalogue of alerts', () => {
  it('has each alert once, with a sentence', () => {
    expect(names.length).toBeGreaterThan(25);
    expect(new Set(names).size).toBe(names.length);
    for (const alerts of Object.values<Alerts>(catalogue))
      for (const [name, { summary }] of Object.entries(alerts))
        expect(summary, name).toMatch(/^[A-Z].{20,110}\.$/);
  });

  it('has a section for each alert in docs/operate.md that says what to do, and no other', () => {
    const page = readFileSync('docs/operate.md', 'utf8');
    const sections = page.split('\n### ').slice(1);
    expect(sections.map((section) => section.split('\n')[0]).sort()).toEqual([...names].sort());
    for (const section of sections) expect(section.split('\n').slice(1).join('').length).toBeGreaterThan(80);
  });

  it('has a fault for each rule, which npm run test:delivery lets fire it', () => {
    const named = rules.map(({ alert }) => alert);
    expect(Object.keys(faults).sort()).toEqual(named.sort());
    for (const [name, some] of Object.entries(faults)) expect(some.length, name).toBeGreaterThan(0);
  });

  it('reads only series that something of Epsilon exposes', () => {
    const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/\bepsilon_\w+/g)].map(([series]) => series));
    expect(asked.length).toBeGreaterThan(25);
    expect(asked.filter((series) => !exposed.has(series))).toEqual([]);
  });

  it('reads of others only series that are known here, with who exposes them', () => {
    const others: Readonly<Record<string, string>> = {
      up: 'Prometheus',
      http_requests_total: 'serving/server.ts',
      kube_horizontalpodautoscaler_status_current_replicas: 'kube-state-metrics',
      kube_horizontalpodautoscaler_spec_max_replicas: 'kube-state-metrics',
      rollout_info: 'the controller of Argo Rollouts',
    };
    const asked = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/\b[a-z]\w+(?=[{[])|\bkube_\w+/g)].map(([series]) => series),
    );
    const foreign = new Set(asked.filter((series) => !series.startsWith('epsilon_')));
    expect([...foreign].sort()).toEqual(Object.keys(others).sort());
    expect(readFileSync('serving/server.ts', 'utf8')).toContain('http_requests_total: {');
  });

  it('is rendered into the files of the repository (npm run render:monitoring)', () => {
    const files = renderedFiles();
    expect(files.length).toBeGreaterThan(1);
    for (const { path, text } of files) expect(readFileSync(path, 'utf8'), path).toBe(text);
  });
});

describe('dashboards of Grafana', () => {
  const shown = dashboards.flatMap(({ panels }) => panels);

  it('show only series that something of Epsilon exposes, one question a graph', () => {
    const expressions = shown.flatMap(({ lines }) => Object.values(lines));
    expect(expressions.length).toBeGreaterThan(25);
    const asked = expressions.flatMap((one) => [...one.matchAll(/\bepsilon_\w+/g)].map(([series]) => series));
    expect(asked.filter((series) => !exposed.has(series.replace(/_(sum|count)$/, '')))).toEqual([]);
    for (const { title, lines } of shown) expect(Object.keys(lines).length, title).toBeGreaterThan(0);
  });

  it('show what each host alert reads', () => {
    const all = JSON.stringify(dashboards);
    const read = Object.values(catalogue.host).flatMap(({ watched }) =>
      [...watched.expression.matchAll(/\bepsilon_\w+/g)].map(([series]) => series),
    );
    expect(read.filter((series) => !all.includes(series))).toEqual([]);
  });

  it('of the cluster show what its alerts read, and that of CloudWatch metrics that are written, by data sources that the chart makes', () => {
    const all = JSON.stringify(clusterDashboards);
    const read = [catalogue.watcher, catalogue.serving].flatMap((alerts) =>
      Object.values<Alerts<Query>[string]>(alerts).flatMap(({ watched }) =>
        [...watched.expression.matchAll(/\b(?:epsilon_|kube_|http_|rollout_)\w+/g)].map(([series]) => series),
      ),
    );
    expect(read.length).toBeGreaterThan(15);
    expect(read.filter((series) => !all.includes(series))).toEqual([]);
    expect(shownOfCloudWatch.length).toBeGreaterThan(10);
    expect(shownOfCloudWatch.filter((name) => !(name in metricDefinitions))).toEqual([]);
    const chart = readFileSync('infra/argocd/addons/sets/kube-prometheus-stack.yml', 'utf8');
    expect(chart).toContain(`uid: ${cloudwatchDashboard().panels[0]?.datasource.uid}\n`);
    expect(chart).toContain('searchNamespace: ALL');
  });

  it('name the data source that provisioning makes', () => {
    const made = readFileSync('infra/grafana/provisioning/datasources/epsilon.yml', 'utf8');
    const { panels } = grafanaDashboard(dashboards[0] ?? { uid: '', title: '', panels: [] });
    expect(panels.length).toBeGreaterThan(3);
    for (const { datasource } of panels) expect(made).toContain(`uid: ${datasource.uid}\n`);
  });
});

describe('rules of Prometheus', () => {
  const exprOf = (name: string) => rules.find(({ alert }) => alert === name)?.expr;

  it('look for a rise from 0, in a window that has several scrapes', () => {
    expect(exprOf('BadImage')).toBe('sum(increase(epsilon_images_marked_bad_total[300s])) >= 1');
  });

  it('compare a share with the target of the environment, and what it leaves without a binary tail', () => {
    expect(exprOf('SuccessRate')).toMatch(/ <= 0\.95$/);
    expect(exprOf('NightCannotMeetTarget')).toContain(' >= 0.05 and ');
    expect(exprOf('NightBelowTarget')).toMatch(/ <= 0\.95$/);
  });

  it('are named, rated and lead to the page', () => {
    for (const { alert, labels, annotations } of rules) {
      expect(labels['severity']).toMatch(/^(critical|warning)$/);
      expect(annotations['runbook']).toBe(`docs/operate.md#${alert.toLowerCase()}`);
    }
  });
});
