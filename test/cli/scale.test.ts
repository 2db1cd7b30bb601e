import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { createOperatorApi } from '../../lib/operations/operator/operator-api.ts';
import { scalingSchema } from '../../lib/scaling/configuration.ts';
import { devSettings, objectStoreOf, testPorts } from '../fixtures/ports.ts';
import { freshDir } from '../fresh-dir.ts';
import { call, epsilon } from './harness.ts';

const start = Date.UTC(2026, 0, 5);

/** Four weeks by five minutes of a service that opens at 9:00 on working days. */
const office = Array.from({ length: 28 * 288 }, (_, at) => {
  const day = Math.floor(at / 288) % 7;
  const hour = (at % 288) / 12;
  const load = day < 5 && hour >= 9 && hour < 18 ? 600 : 80;
  return `${new Date(start + at * 300_000).toISOString()},${load}`;
});

let folder: string;
let metrics: string;

beforeAll(() => {
  folder = freshDir();
  metrics = join(folder, 'load.csv');
  writeFileSync(metrics, ['timestamp,value', ...office].join('\n'));
});

describe('scale plan', () => {
  it('plan is followed where it pays, with spans, money and a page', async () => {
    const page = join(folder, 'plan.html');
    const ran = await call({}, [
      'scale',
      'plan',
      '--metrics',
      metrics,
      '--per-replica',
      '50',
      '--html',
      page,
    ]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('The plan is followed: in the last 7 days the HPA alone was short in 0.50 %');
    expect(ran.out).toMatch(/2026-02-02T08:50:00Z\s+2026-02-02T18:00:00Z\s+14/);
    expect(ran.out).toMatch(/Nodes of the next 48 hours: \$\d+\.\d\d, with the HPA alone \$\d+\.\d\d/);
    expect(readFileSync(page, 'utf8')).toContain('Least replicas');
  });

  it('plan as JSON has the forecast with its intervals and the spans of both', async () => {
    const ran = await call({}, ['scale', 'plan', '--metrics', metrics, '--per-replica', '50', '--json']);
    const { forecast, plan } = ran.json() as Record<string, Record<string, unknown[]>>;
    expect(forecast?.['hours']).toHaveLength(48);
    expect(plan?.['spans']).toEqual(plan?.['ifFollowed']);
  });

  it('load of a replica is learned from what replicas used, and said with its error', async () => {
    const file = join(folder, 'used.csv');
    const rows = office.map((row, at) => {
      const load = Number(row.split(',')[1]);
      return `${row},${(0.15 + 0.007 * load) * (1 + 0.02 * Math.sin(at * at))},${load > 100 ? 14 : 3}`;
    });
    writeFileSync(file, ['timestamp,value,cores,ready', ...rows].join('\n'));
    const ran = await call({}, ['scale', 'plan', '--metrics', file, '--request-cores', '0.5']);
    expect(ran.out).toMatch(/note: a replica carries [\d.]+ \(error [\d.]+, learned from 28 days\)/);
    expect(ran.out).toContain('The plan is followed');
    const unknown = await call({}, ['scale', 'plan', '--metrics', metrics, '--request-cores', '0.5']);
    expect(unknown.err).toContain('error SCALING_NOT_LEARNED: ');
    const both = await call({}, [
      'scale',
      'plan',
      '--metrics',
      file,
      '--request-cores',
      '0.5',
      '--per-replica',
      '50',
    ]);
    expect(both.err).toContain('error USAGE: ');
  });

  it('forecast alone needs no knowledge of replicas', async () => {
    const ran = await call({}, ['scale', 'plan', '--metrics', metrics]);
    expect(ran.out).toContain('With --per-replica');
    expect(ran.out).not.toContain('LEAST REPLICAS');
  });

  it.each([
    [['--metrics', '/nowhere.csv'], 'SCALING_METRICS_UNREADABLE'],
    [['--per-replica', '0'], 'USAGE'],
    [['--per-replica', 'many'], 'USAGE'],
    [['--node-type', 'x9.huge'], 'PRICE_UNKNOWN'],
    [['--min', '9', '--max', '3', '--per-replica', '50'], 'SCALING_BOUNDS'],
    [['--short-to-idle', '0'], 'USAGE'],
  ])('plan with %j is refused, and no page is written', async (args, code) => {
    const page = join(folder, 'refused.html');
    const ran = await call({}, ['scale', 'plan', '--metrics', metrics, '--html', page, ...args]);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain(`error ${code}: `);
    expect(existsSync(page)).toBe(false);
  });

  it('file that would write to the terminal is shown without what does', async () => {
    const file = join(folder, 'hostile.csv');
    writeFileSync(file, 'time\u001b[2J,value\n1,2\n');
    const ran = await call({}, ['scale', 'plan', '--metrics', file]);
    expect(ran.err).toContain('SCALING_METRICS_INVALID');
    expect(ran.err).not.toContain('\u001b');
  });
});

describe('cost commit', () => {
  it('commitment to the base load of recorded usage saves its discount', async () => {
    const ran = await call({}, ['cost', 'commit', '--usage', metrics, '--json']);
    const { commitments } = ran.json() as Record<string, { hourly: number; utilisation: number }[]>;
    expect(commitments?.map(({ hourly }) => hourly)).toEqual([80, 80, 80, 80]);
    expect(commitments?.[0]?.utilisation).toBeCloseTo(1, 9);
  });
});

describe('scale override', () => {
  const metric = { namespace: 'AWS/ApplicationELB', name: 'RequestCount', stat: 'Sum' };

  function opened(mode: 'decide' | 'off') {
    const kept = new Map<string, Uint8Array>();
    const acts: unknown[] = [];
    const scaling = scalingSchema.parse(mode === 'off' ? { mode } : { mode, metric, perReplica: 50 });
    const ports = testPorts({
      config: { ...devSettings, scaling },
      objects: objectStoreOf({
        get: async (uri) => {
          const body = kept.get(uri);
          if (!body) throw new NotFound('OBJECT_NOT_FOUND', uri);
          return body;
        },
        put: async (uri, body) => void kept.set(uri, new TextEncoder().encode(String(body))),
      }),
    });
    const audit = { append: async (record: unknown) => void acts.push(record), list: async () => [] };
    const unused = undefined as never;
    const operator = { ...ports, audit, schedules: unused, logs: unused, close: async () => {} };
    const control = createOperatorApi(operator, { id: 'root', via: 'process' });
    return { run: (...args: string[]) => epsilon(control, 'scale', 'override', ...args), acts };
  }

  it('number that an operator set is shown until it is cleared, and each act is on record', async () => {
    const { run, acts } = opened('decide');
    expect((await run('show')).out).toContain('No operator has set the least replicas');
    const set = await run('set', '--replicas', '12', '--hours', '2', '--reason', 'launch');
    expect(set.out).toContain('At least 12 replicas until 2026-11-24T05:00:00Z');
    expect((await run('show', '--json')).json()).toMatchObject({ override: { minReplicas: 12 } });
    expect((await run('clear', '--reason', 'over')).out).toContain('The plan decides again');
    expect((await run('show', '--json')).json()).toMatchObject({ override: null });
    expect((await run('clear', '--reason', 'over')).out).toContain('Nothing was set');
    expect(acts).toHaveLength(4);
  });

  it.each([
    [['--replicas', '2'], 'INPUT_INVALID'],
    [['--replicas', '20'], 'INPUT_INVALID'],
    [['--replicas', 'many'], 'USAGE'],
    [['--hours', '0'], 'USAGE'],
    [['--hours', '1000'], 'USAGE'],
    [['--reason', ' '], 'INPUT_INVALID'],
  ])('override with %j is refused, and nothing is set', async (args, code) => {
    const { run } = opened('decide');
    const ran = await run('set', '--replicas', '12', '--reason', 'launch', ...args);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain(`error ${code}: `);
    expect((await run('show', '--json')).json()).toMatchObject({ override: null });
  });

  it('override where nothing decides is refused', async () => {
    const ran = await opened('off').run('set', '--replicas', '12', '--reason', 'launch');
    expect(ran.err).toContain('error SCALING_OFF: ');
  });
});
