import { describe, expect, it } from 'vitest';
import { metricDefinitions } from '../../../lib/metrics/definitions.ts';
import { Figures } from '../../../lib/metrics/exposition.ts';
import { exposedName, LocalMetrics } from '../../../local/metrics.ts';

describe('figures in Prometheus text form', () => {
  it('have HELP and TYPE before their values, whose labels are escaped and sorted', () => {
    const figures = new Figures({
      a_total: { kind: 'counter', help: 'Back\\slash and\nline end.' },
      b_seconds: { kind: 'summary', help: 'Takes time.' },
      c: { kind: 'gauge', help: 'Not told yet.' },
    });
    figures.count('a_total', { z: 'q"\\\n', a: '1' }, 2);
    figures.count('a_total', { a: '1', z: 'q"\\\n' });
    figures.observe('b_seconds', 0.5);
    figures.observe('b_seconds', 1);
    expect(figures.text()).toBe(
      [
        '# HELP a_total Back\\\\slash and\\nline end.',
        '# TYPE a_total counter',
        'a_total{a="1",z="q\\"\\\\\\n"} 3',
        '# HELP b_seconds Takes time.',
        '# TYPE b_seconds summary',
        'b_seconds_sum 1.5',
        'b_seconds_count 2',
        '# HELP c Not told yet.',
        '# TYPE c gauge',
        '',
      ].join('\n'),
    );
  });
});

describe('metrics of the embedded runtime', () => {
  const metrics = new LocalMetrics();

  it('each has HELP, TYPE and a name by the conventions, before anything is counted', () => {
    const lines = metrics.text().split('\n');
    for (const name of Object.keys(metricDefinitions) as (keyof typeof metricDefinitions)[]) {
      const shown = exposedName(name);
      expect(shown).toMatch(/^epsilon_[a-z_]+_(total|seconds)$/);
      expect(lines.filter((line) => line.startsWith(`# HELP ${shown} `))).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith(`# TYPE ${shown} `))).toHaveLength(1);
    }
    expect(lines).toContain('epsilon_runs_failed_total 0');
  });

  it('durations are seconds', () => {
    metrics.duration('HandlerDuration', 250, { function: 'loadTenants' });
    expect(metrics.text()).toContain('epsilon_handler_duration_seconds_sum{function="loadTenants"} 0.25');
  });

  it('no label is a tenant, of whom there may be thousands', () => {
    const labels = Object.values(metricDefinitions).flatMap(({ dimensions }) => [...dimensions]);
    expect(labels.length).toBeGreaterThan(5);
    expect(labels.filter((label) => /tenant/i.test(label))).toEqual([]);
  });
});
