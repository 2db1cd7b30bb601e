import { describe, expect, it } from 'vitest';
import { wireTraces } from '../../../lib/aws/wiring/wire-traces.ts';
import { loadConfig } from '../../../lib/config/load-config.ts';
import { placeIn, placeOfNight, spanIdOfAttempt, traceIdOfRun } from '../../../lib/tracing/ids.ts';
import { spansOfRun } from '../../../lib/tracing/run-spans.ts';
import { localTraces } from '../../../local/adapters/traces.ts';
import { readYaml } from '../../../local/declaration/read-yaml.ts';
import { describeTraceSink } from '../../contract/trace-sink.ts';
import { anAwsBase } from '../../fixtures/aws-base.ts';
import { anAttempt, aRun } from '../../fixtures/records.ts';

const configOf = (environment: string, tracing: object) =>
  loadConfig({
    file: readYaml(`infra/config/${environment}.yml`),
    variables: { EPSILON_TRACING: JSON.stringify(tracing) },
  });

describeTraceSink('this host', (endpoint) => localTraces(configOf('local', { mode: 'otlp', endpoint })));
describeTraceSink(
  'AWS',
  (endpoint) => wireTraces(anAwsBase({ config: configOf('dev', { mode: 'otlp', endpoint }) })).traces,
);

describe('the setting tracing', () => {
  it('is off where nobody names a collector, and then sends nothing', async () => {
    expect(configOf('prod', { mode: 'off' }).tracing).toEqual({ mode: 'off' });
    await expect(localTraces(configOf('local', { mode: 'off' })).send([])).resolves.toBeUndefined();
  });

  it.each([
    [{ mode: 'otlp' }, /tracing\.endpoint/],
    [{ mode: 'otlp', endpoint: 'collector:4317' }, /tracing\.endpoint.*http/],
    [{ mode: 'zipkin' }, /tracing\.mode/],
  ])('%j is refused by name', (tracing, message) => {
    expect(() => configOf('dev', tracing)).toThrow(message);
  });

  it('X-Ray is refused on a host, which has no role', () => {
    expect(() => localTraces(configOf('local', { mode: 'xray' }))).toThrow(/tracing\.mode.*xray/);
  });
});

const nightArn = 'arn:aws:states:us-west-2:1:execution:night:n1';
const run = aRun({
  nightArn,
  status: 'succeeded',
  startedAt: '2026-11-24T02:00:00.000Z',
  finishedAt: '2026-11-24T03:00:00.000Z',
});
const attempt = (over: object) => anAttempt({ runId: run.runId, redriveCount: 0, ...over });
const first = attempt({
  stage: 'train',
  attempt: 1,
  status: 'failed',
  error: 'JobFailed',
  exitCode: 1,
  intentAt: '2026-11-24T02:10:00.000Z',
  submittedAt: '2026-11-24T02:10:01.000Z',
  startedAt: '2026-11-24T02:15:00.000Z',
  finishedAt: '2026-11-24T02:20:00.000Z',
});
const second = attempt({
  stage: 'train',
  attempt: 2,
  status: 'succeeded',
  capacityBecause: 'preempted',
  intentAt: '2026-11-24T02:25:00.000Z',
  submittedAt: '2026-11-24T02:25:00.000Z',
  startedAt: '2026-11-24T02:26:00.000Z',
  finishedAt: '2026-11-24T02:50:00.000Z',
});

describe('the spans of a run', () => {
  const spans = spansOfRun(run, [second, first], 0);
  const named = (name: string) => spans.filter((one) => one.name === name);

  it('are one trace of its own, linked to the night’s', () => {
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOfRun(run)]));
    expect(traceIdOfRun(run)).not.toBe(run.traceId);
    const [root] = spans;
    expect(root).toMatchObject({ name: 'tenant-model-training', links: [placeOfNight(nightArn)] });
    expect(root?.parentSpanId).toBeUndefined();
    expect(root?.attributes).toMatchObject({ 'epsilon.run': run.runId, 'epsilon.trace_id': run.traceId });
  });

  it('of a run that nobody’s night began are in the trace of its start, and link to what asked for it', () => {
    const { nightArn: _, ...manual } = run;
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    const [root] = spansOfRun({ ...manual, traceparent }, [], 0);
    expect(root).toMatchObject({
      traceId: run.traceId,
      links: [{ traceId: '1'.repeat(32), spanId: '2'.repeat(16) }],
    });
  });

  it('are below one another: run, stage, attempt, wait', () => {
    const byId = new Map(spans.map((one) => [one.spanId, one.name]));
    expect(byId.size).toBe(spans.length);
    expect(spans.map(({ name, parentSpanId }) => [name, byId.get(parentSpanId ?? '')])).toEqual([
      ['tenant-model-training', undefined],
      ['train', 'tenant-model-training'],
      ['train attempt 1', 'train'],
      ['wait for a machine', 'train attempt 1'],
      ['wait for the next try', 'train'],
      ['train attempt 2', 'train'],
      ['wait for a machine', 'train attempt 2'],
    ]);
  });

  it('have their times from the records, and say why something waited', () => {
    const [pause] = named('wait for the next try');
    expect(pause).toMatchObject({
      from: Date.parse(String(first.finishedAt)),
      until: Date.parse(second.intentAt),
      attributes: { 'epsilon.wait.because': 'JobFailed' },
    });
    expect(named('wait for a machine').map(({ from, until }) => (until - from) / 1_000)).toEqual([299, 60]);
    expect(named('wait for a machine')[1]?.attributes).toMatchObject({ 'epsilon.wait.because': 'preempted' });
    expect(named('train attempt 1')[0]).toMatchObject({ attributes: { 'epsilon.exit_code': 1 } });
    expect(named('train attempt 1')[0]?.error).toBeDefined();
    expect(named('train')[0]?.error).toBeUndefined();
  });

  it('have the same ids whenever they are made, and others after a redrive, which sends only its own attempts', () => {
    expect(spansOfRun(run, [first, second], 5)).toEqual(spans);
    const third = attempt({ stage: 'train', attempt: 3, status: 'succeeded', redriveCount: 1 });
    const again = spansOfRun({ ...run, redriveCount: 1 }, [first, second, third], 0);
    expect(again.filter(({ name }) => name.includes('attempt')).map(({ name }) => name)).toEqual([
      'train attempt 3',
    ]);
    const before = new Set(spans.map(({ spanId }) => spanId));
    expect(again.filter(({ spanId }) => before.has(spanId))).toEqual([]);
    expect(again.map(({ spanId }) => spanId)).toContain(spanIdOfAttempt(third));
  });
});

describe('a traceparent', () => {
  it.each([
    '',
    '00-x-y-01',
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
  ])('%j is none', (header) => {
    expect(placeIn(header)).toBeUndefined();
  });
});
