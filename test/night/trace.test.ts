import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventPublisher } from '../../lib/ports/event-publisher.ts';
import { placeOfNight } from '../../lib/tracing/ids.ts';
import { nightTraceId } from '../../lib/training/nights/night-input.ts';
import { openCollector } from '../contract/trace-sink.ts';
import { type Night, openNight } from './harness.ts';

let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

interface Line {
  readonly message: string;
  readonly function?: string;
  readonly runId?: string;
  readonly tenantId?: string;
  readonly traceId?: string;
}

/** Lines that handlers wrote. */
function handlerLines(): Line[] {
  return readFileSync(join(night.runtime.state.logs, 'control-plane.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line.function !== undefined);
}

/** Details of what the handlers publish from now on. */
function published() {
  const details: { traceId: unknown; tenantId: unknown; traceparent?: unknown }[] = [];
  const events: { publish: EventPublisher['publish'] } = night.runtime.ports.events;
  const { publish } = events;
  events.publish = async (entries) => {
    for (const { detail } of entries) details.push(detail as (typeof details)[number]);
    await publish(entries);
  };
  return details;
}

describe('the trace of a run', () => {
  it('is sent once, in one batch, when the run has settled: what its jobs and events name is in it', async () => {
    const collector = await openCollector();
    const tracing = { mode: 'otlp', endpoint: collector.endpoint };
    night = await openNight({ variables: { EPSILON_TRACING: JSON.stringify(tracing) } });
    await night.add('acme', 'beta');
    night.jobs.fate = ({ tenantId, stage }) =>
      tenantId === 'beta' && stage === 'index' ? { exitCode: 65 } : {};
    const details = published();
    const arn = await night.fire();
    await night.until(arn);
    await night.advance(60_000);
    collector.close();

    expect(collector.requests).toHaveLength(3);
    const [judged, ...spans] = collector.requests
      .flat()
      .toSorted((a) => (a.name === 'nightly-training' ? -1 : 0));
    expect(judged).toMatchObject({ name: 'nightly-training', ...placeOfNight(arn), status: { code: 2 } });
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    const ids = new Set(spans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
    expect(night.jobs.specs.length).toBe(8);
    for (const { environment } of night.jobs.specs) expect(ids).toContain(environment['EPSILON_TRACEPARENT']);
    const ends = details.filter(({ tenantId }) => tenantId !== '*').map((one) => one.traceparent);
    expect(ends.filter((header) => ids.has(String(header)))).toHaveLength(2);
    for (const root of spans.filter(({ name }) => name === 'tenant-model-training'))
      expect(root.links).toMatchObject([placeOfNight(arn)]);
    expect(
      spans
        .filter(({ status }) => status.code === 2)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['index', 'index attempt 1', 'tenant-model-training']);
  });
});

describe('one trace id', () => {
  it('goes from the schedule to the result of every job: log, events, environment, records', async () => {
    night = await openNight();
    await night.add('acme', 'beta');
    const details = published();
    const arn = await night.fire();
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    const traceId = nightTraceId(arn);
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);

    // Every line of every handler that worked for this night; the reconciler belongs to none.
    const lines = handlerLines().filter((line) => line.function !== 'reconcileJobs');
    const spoke = new Set(lines.map((line) => line.function));
    for (const name of [
      'loadTenants',
      'beginRun',
      'submitStage',
      'completeJob',
      'promoteModel',
      'finishRun',
      'judgeNight',
    ])
      expect(spoke, name).toContain(name);
    for (const line of lines) expect(line.traceId, JSON.stringify(line)).toBe(traceId);

    expect(details.map(({ tenantId }) => tenantId).sort()).toEqual(['*', 'acme', 'acme', 'beta', 'beta']);
    for (const detail of details) expect(detail.traceId).toBe(traceId);

    expect(night.jobs.specs).toHaveLength(10);

    for (const tenantId of ['acme', 'beta']) {
      const [run] = await night.runtime.control.runs.listRuns({ tenantId });
      expect(run).toMatchObject({ status: 'succeeded', traceId });
      const attempts = await night.runtime.control.runs.listAttempts(run?.runId ?? '');
      expect(attempts).toHaveLength(5);
      for (const attempt of attempts)
        expect(attempt).toMatchObject({ traceId, result: expect.any(Object) as object });
    }
  });

  it('of a run that an operator starts is its own, and stays through a redrive', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = ({ stage }) => (stage === 'index' ? { exitCode: 65 } : {});
    const arn = await night.train('acme');
    await night.until(arn);
    night.jobs.fate = () => ({});
    await night.runtime.control.workflows.redrive(arn);
    await night.until(arn);
    const run = await night.runtime.control.runs.getRun('acme-manual');
    expect(new Set(night.jobs.specs.map((spec) => spec.traceId))).toEqual(new Set([run?.traceId]));
    const lines = handlerLines().filter(
      (line) => line.runId === 'acme-manual' && line.function !== 'reconcileJobs',
    );
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) expect(line.traceId, JSON.stringify(line)).toBe(run?.traceId);
  });
});
