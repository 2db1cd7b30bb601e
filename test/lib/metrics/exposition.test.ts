import { describe, expect, it } from 'vitest';
import { dimensionValues, metricDefinitions } from '../../../lib/metrics/definitions.ts';
import { exposedName } from '../../../lib/metrics/exposed.ts';
import { Figures } from '../../../lib/metrics/exposition.ts';
import type { Attempt, Run } from '../../../lib/training/run.ts';
import { LocalMetrics } from '../../../local/metrics.ts';

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

  it('each has HELP, TYPE and a name by the conventions, before anything is counted', async () => {
    const lines = (await metrics.text()).split('\n');
    for (const name of Object.keys(metricDefinitions) as (keyof typeof metricDefinitions)[]) {
      const shown = exposedName(name);
      expect(shown).toMatch(/^epsilon_[a-z_]+_(total|seconds)$/);
      expect(lines.filter((line) => line.startsWith(`# HELP ${shown} `))).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith(`# TYPE ${shown} `))).toHaveLength(1);
    }
    expect(lines).toContain('epsilon_runs_failed_total 0');
  });

  it('figures of the records are read at the scrape, and not a number while that fails', async () => {
    const startedAt = '2026-01-01T00:00:00.000Z';
    const now = Date.parse(startedAt) + 90_000;
    const run = { startedAt } as Run;
    const waits = { stage: 'train', backend: 'eks', status: 'submitted', intentAt: startedAt } as Attempt;
    const runs = { ...waits, status: 'running', startedAt } as Attempt;
    await metrics.readRecords(
      { listRunningRuns: async () => [run, run], listOpenAttempts: async () => [waits, runs] },
      now,
    );
    expect(await metrics.text()).toContain('\nepsilon_queue_age_seconds{backend="eks"} 90\n');
    expect(await metrics.text()).toContain(`\nepsilon_stage_time_used_ratio{stage="train"} ${90 / 43_200}\n`);
    expect(await metrics.text()).toContain('\nepsilon_stage_time_used_ratio{stage="index"} 0\n');
    expect(await metrics.text()).toContain('\nepsilon_runs_open 2\n');
    expect(await metrics.text()).toContain('\nepsilon_oldest_run_seconds 90\n');
    await metrics.readRecords({ listRunningRuns: async () => [], listOpenAttempts: async () => [] }, now);
    expect(await metrics.text()).toContain('\nepsilon_oldest_run_seconds 0\n');
    const fails = () => Promise.reject(new Error('no disk'));
    await metrics.readRecords({ listRunningRuns: fails, listOpenAttempts: fails }, now);
    expect(await metrics.text()).toMatch(/\nepsilon_runs_open NaN\n/i);
    expect(await metrics.text()).toMatch(/\nepsilon_queue_age_seconds\{backend="eks"\} NaN\n/i);
  });

  it('durations are seconds', async () => {
    metrics.duration('HandlerDuration', 250, { function: 'loadTenants' });
    expect(await metrics.text()).toContain(
      'epsilon_handler_duration_seconds_sum{function="loadTenants"} 0.25',
    );
  });

  it('no label is a tenant, a run or a version, of which there may be thousands', () => {
    const labels = Object.values(metricDefinitions).flatMap(({ dimensions }) => [...dimensions]);
    expect(labels.length).toBeGreaterThan(5);
    expect(labels.filter((label) => /tenant|run|version|model/i.test(label))).toEqual([]);
  });

  it('counters begin at 0 for every combination of labels that is known before', async () => {
    const begun = new LocalMetrics();
    begun.beginFunctions(['loadTenants', 'beginRun']);
    const fresh = await begun.text();
    for (const line of [
      'epsilon_night_tenants_total{outcome="notStarted"} 0',
      'epsilon_placements_given_up_total{backend="eks",capacity="on-demand"} 0',
      'epsilon_handler_faults_total{function="beginRun"} 0',
    ])
      expect(fresh.split('\n')).toContain(line);
    const unknown = Object.values(metricDefinitions)
      .flatMap(({ dimensions }) => [...dimensions])
      .filter((dimension) => dimension !== 'function' && dimensionValues[dimension] === undefined);
    expect(unknown).toEqual(['error']);
  });
});
