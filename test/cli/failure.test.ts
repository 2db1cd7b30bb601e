import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeExecution } from '../../cli/executions/describe.ts';
import { openExecution } from '../../cli/watch/attach.ts';
import { lastWords } from '../../cli/watch/last-words.ts';
import { Progress } from '../../cli/watch/progress.ts';
import { RetryPlan } from '../../cli/watch/retry-plan.ts';
import { type RunView, Views } from '../../cli/watch/run-views.ts';
import { runsUnderWay } from '../../cli/watch/watch.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../../lib/ports/workflows.ts';
import type { Attempt, Run } from '../../lib/training/run.ts';
import { anAttempt, aRun } from '../fixtures/records.ts';
import { type Night, openNight } from '../night/harness.ts';
import { call } from './harness.ts';

const began = Date.parse('2026-11-24T02:00:00.000Z');
const at = (seconds: number) => new Date(began + seconds * 1_000).toISOString();

const viewOf = (attempts: readonly Attempt[], run: Partial<Run> = {}): RunView => ({
  run: aRun(run),
  attempts,
  progress: new Map(),
});

const failed = (over: Partial<Attempt> = {}) =>
  anAttempt({
    status: 'failed',
    error: 'JobFailed',
    exitCode: 1,
    finishedAt: at(10),
    settledAt: at(10),
    ...over,
  });

/** A display with what it has written. */
function aDisplay(columns?: number, words = 'no space left in the index') {
  let out = '';
  const progress = new Progress({
    output: {
      json: false,
      terminal: columns !== undefined,
      columns,
      write: (text) => {
        out += text;
      },
      warn: () => {},
    },
    plan: new RetryPlan(resolve('.'), 1),
    lastWords: async () => words,
    began,
  });
  return {
    progress,
    show: (view: RunView, seconds: number) => progress.show([view], began + seconds * 1_000),
    lines: () => out.split('\n').filter((line) => line !== ''),
    out: () => out,
  };
}

describe('a failed attempt', () => {
  it('is told once, with its code, its own words and the next try', async () => {
    const { show, lines } = aDisplay();
    await show(viewOf([anAttempt({ status: 'running', startedAt: at(1) })]), 2);
    await show(viewOf([failed()]), 11);
    await show(viewOf([failed()]), 12);
    const told = lines().filter((line) => line.includes('✗ acme'));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /✗ acme: train attempt 1 failed \(JobFailed, exit 1\): no space left in the index; tries again (in|within) \d+:\d\d, \d+ left$/,
    );
  });

  it('counts down to the next try on a terminal, and fewer tries are left after each', async () => {
    const plan = new RetryPlan(resolve('.'), 1);
    const first = failed();
    const second = failed({ attempt: 2, jobName: 'second', settledAt: at(60) });
    const one = plan.after(first, [first]);
    const two = plan.after(second, [first, second]);
    expect((one?.left ?? 0) - (two?.left ?? 0)).toBe(1);
    const { show, out } = aDisplay(200);
    await show(viewOf([first]), 11);
    await show(viewOf([first]), 12);
    const seen = [...out().matchAll(/train tries again (?:in|within) (\d+):(\d\d)/g)].map(
      ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
    );
    expect(seen).toHaveLength(2);
    expect((seen[0] ?? 0) - (seen[1] ?? 0)).toBe(1);
  });

  it('is not tried again when its error has no retrier, and its run does not repeat the reason', async () => {
    const { show, lines, progress } = aDisplay();
    const input = failed({ error: 'JobRejectedInput', status: 'rejected', exitCode: 65 });
    const run = { status: 'failed', cause: 'no space left in the index' } as const;
    await show(viewOf([input]), 11);
    await show(viewOf([input], run), 12);
    expect(lines().filter((line) => line.includes('no space left in the index'))).toHaveLength(1);
    expect(lines()[0]).toContain('; is not tried again');
    expect(progress.told(aRun().runId)).toBe(true);
  });

  it('does not stand for the end of a run that went on after it', async () => {
    const { show, lines, progress } = aDisplay();
    await show(viewOf([failed()]), 11);
    expect(progress.told(aRun().runId)).toBe(false);
    await show(viewOf([failed()], { status: 'failed', cause: 'its lease was lost' }), 12);
    expect(lines().at(-1)).toContain('failed: its lease was lost');
  });

  it('is not shown of a run that a redrive has not taken up yet', () => {
    const before = aRun({ status: 'failed', finishedAt: at(-60) });
    const after = aRun({ status: 'failed', finishedAt: at(5) });
    const redriven = { redriveCount: 1 } as ExecutionDetail;
    expect(runsUnderWay(redriven, [before, after, aRun()], Date.parse(at(0)))).toEqual([after, aRun()]);
    expect(runsUnderWay({ ...redriven, redriveCount: 0 }, [before], Date.parse(at(0)))).toEqual([before]);
  });

  it('has no part in a run that succeeded after a redrive', async () => {
    const { show, lines } = aDisplay();
    const before = failed({ finishedAt: at(-60), settledAt: at(-60) });
    const after = anAttempt({ attempt: 2, status: 'succeeded', settledAt: at(9), redriveCount: 1 });
    await show(viewOf([before, after], { status: 'succeeded', cause: 'stopped by an operator' }), 10);
    expect(lines().at(-1)).toMatch(/acme: done$/);
    expect(lines().join('\n')).not.toMatch(/operator|✗ acme/);
  });
});

describe('a night that is described', () => {
  it('gives no stale reason for a run that succeeded, or runs again, after a redrive', async () => {
    const night = await openNight({ schedules: false });
    try {
      const cause = 'stopped by an operator';
      const runs = (['succeeded', 'running', 'failed'] as const).map((status) =>
        aRun({ runId: `${status}-1`, tenantId: status, status, error: 'Stopped', cause }),
      );
      const executionArn = await night.fire();
      const { control } = night.runtime;
      const execution = await control.workflows.describe(executionArn);
      const { tenants } = await describeExecution(
        { ...control, runs: { ...control.runs, listRuns: async () => runs, listAttempts: async () => [] } },
        execution,
      );
      expect(tenants?.map(({ tenantId, cause }) => [tenantId, cause])).toEqual([
        ['failed', cause],
        ['running', undefined],
        ['succeeded', undefined],
      ]);
    } finally {
      await night.runtime.close();
    }
  });
});

describe('stages that run', () => {
  const deploy = anAttempt({ stage: 'deploy', status: 'running', jobName: 'd', startedAt: at(0) });
  const cache = anAttempt({ stage: 'cache', status: 'running', jobName: 'c', startedAt: at(0) });

  it('side by side are both shown where lines stay', async () => {
    const { show, lines } = aDisplay();
    await show(viewOf([deploy, cache]), 1);
    expect(lines().map((line) => line.replace(/.*acme: /, ''))).toEqual([
      'deploy (attempt 1) running',
      'cache (attempt 1) running',
    ]);
  });

  it('say how far they are and how long the rest takes, every 30 s where lines stay', async () => {
    const { show, lines, out } = aDisplay();
    const first = { at: at(10), done: 1, total: 10, unit: 'rows' };
    const now = { at: at(30), done: 5, total: 10, unit: 'rows' };
    const view = { ...viewOf([deploy]), progress: new Map([['d', { first, now }]]) };
    await show(view, 1);
    await show(view, 30);
    expect(out()).not.toContain('rows');
    await show(view, 31);
    await show(view, 32);
    expect(lines().filter((line) => line.includes('rows'))).toHaveLength(1);
    expect(lines().at(-1)).toMatch(/deploy 31\.0s 50 % of 10 rows, about 25\.0s left$/);
  });

  it('have their progress read from below their prefix, and what is no progress is left out', async () => {
    let body = JSON.stringify({ at: at(1), done: 1, total: 4, unit: 'epochs' });
    let reads = 0;
    const control = {
      runs: { listAttempts: async () => [deploy] },
      objects: {
        get: async (uri: string) => {
          expect(uri).toBe(`${deploy.outputUri}progress.json`);
          reads += 1;
          return Buffer.from(body);
        },
      },
    } as unknown as OperatorApi;
    const views = new Views(control);
    await views.of([aRun()], began);
    body = '{"done":"many"}';
    await views.of([aRun()], began + 1_000);
    expect(reads).toBe(1);
    const [view] = await views.of([aRun()], began + 6_000);
    expect(reads).toBe(2);
    expect(view?.progress.get('d')?.now).toMatchObject({ done: 1, total: 4 });
  });
});

describe('the last words of a job', () => {
  const words = (text: string, cause?: string) =>
    lastWords(
      {
        logs: { read: async () => ({ text, nextByte: text.length, ended: true }) },
      } as unknown as OperatorApi,
      failed(cause === undefined ? {} : { cause }),
    );

  it('are its result, or else the last line that it wrote, without a stack trace', async () => {
    expect(await words('whatever', 'A row has no text.')).toBe('A row has no text.');
    const log =
      'first\n{"level":"ERROR","message":"out of\\u001b[2J rows"}\n    at run (a.ts:1)\n\nNode.js v24.1.0\n';
    expect(await words(log, 'it exited with 1')).toMatch(
      /^it exited with 1; its last line: out of \[2J rows$/,
    );
    expect(await words('', 'it exited with 1')).toBe('it exited with 1');
  });
});

describe('run of a tenant that is trained already', () => {
  let night: Night;
  beforeAll(async () => {
    night = await openNight({ schedules: false });
    night.jobs.fate = () => ({ never: true });
    await night.add('acme', 'beta');
    await night.train('acme');
    await night.advance(1_000);
    await night.restart();
  });
  afterAll(() => night.runtime.close());
  const run = (...args: string[]) =>
    call(
      {
        clock: night.clock,
        open: async () => ({ ...night.runtime.control, close: async () => {} }),
      },
      ['run', 'tenant-model-training', '--no-wait', ...args],
    );

  it('starts nothing after a restart, and says what runs', async () => {
    const again = await run('--tenant', 'acme');
    expect(again).toMatchObject({ code: 0 });
    expect(again.out).toMatch(/acme-manual runs already \(since 2026-11-24T.*\); nothing was started/);
    const executions = await night.runtime.control.workflows.list({ limit: 10 });
    expect(executions.map(({ name }) => name)).toEqual(['acme-manual']);
  });

  it('starts one of another tenant, of another name or for another date', async () => {
    expect((await run('--tenant', 'beta')).out).toMatch(/^Started /);
    expect((await run('--tenant', 'acme', '--name', 'acme-2')).out).toMatch(/^Started .*acme-2/);
    const other = {
      machine: 'tenant-model-training',
      input: { tenantId: 'acme', logicalDate: '2020-01-01' },
    };
    expect(
      await openExecution(
        night.runtime.control,
        other.machine,
        { input: other.input },
        {},
        night.clock.now(),
      ),
    ).toBeUndefined();
  });
});
