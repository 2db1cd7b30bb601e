import { describe, expect, it } from 'vitest';
import { scalingSchema } from '../../../lib/scaling/configuration.ts';
import type { Reading } from '../../../lib/scaling/hourly-series.ts';
import { configuredLoadMetrics } from '../../../lib/system/load-metrics.ts';
import { prometheusRange } from '../../../lib/system/prometheus.ts';
import { loadMetricsContract } from '../../contract/load-metrics.ts';

type Series = Readonly<Record<string, readonly Reading[]>>;

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

/** Prometheus, which answers a query with the series of that name, at the steps that were asked for, the last one included. */
function serverWith(series: Series) {
  const asked: URL[] = [];
  const send = async (input: unknown) => {
    const url = new URL(String(input));
    asked.push(url);
    const number = (name: string) => Number(url.searchParams.get(name));
    const at = new Map(
      (series[url.searchParams.get('query') ?? ''] ?? []).map((one) => [one.at / 1000, one.value]),
    );
    const values = [];
    for (let time = number('start'); time <= number('end'); time += number('step'))
      if (at.has(time)) values.push([time, String(at.get(time))]);
    const result = values.length > 0 ? [{ metric: {}, values }] : [];
    return json({ status: 'success', data: { resultType: 'matrix', result } });
  };
  return { send: send as typeof fetch, asked };
}

const url = 'https://prometheus.example/prometheus';

loadMetricsContract('Prometheus', (readings, usage) => {
  const of = (name: 'cores' | 'ready' | 'wanted') =>
    (usage ?? []).map((use) => ({ at: use.at, value: use[name] ?? 0 }));
  const series = { load: readings ?? [], cores: of('cores'), ready: of('ready'), wanted: of('wanted') };
  const [cores, ready, wanted] = ['cores', 'ready', 'wanted'].map((query) => ({ query }));
  const learn = usage ? { learn: { requestCores: 0.5, cores, ready, wanted } } : {};
  const settings = readings
    ? { mode: 'decide', metric: { query: 'load' }, prometheus: url, perReplica: 50, ...learn }
    : { mode: 'off' };
  return configuredLoadMetrics(scalingSchema.parse(settings), async () => [], serverWith(series).send);
});

describe('Prometheus', () => {
  it('four weeks are one call, by five minutes, at the path below the one that is configured', async () => {
    const { send, asked } = serverWith({});
    const until = Date.UTC(2026, 10, 24, 2, 3);
    expect(
      await prometheusRange({ url, send }, 'sum(rate(x[5m]))', [until - 28 * 86_400_000, until]),
    ).toEqual([]);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.pathname).toBe('/prometheus/api/v1/query_range');
    const parameters = Object.fromEntries(asked[0]?.searchParams ?? []);
    expect(parameters).toMatchObject({ query: 'sum(rate(x[5m]))', step: '300' });
    expect((Number(parameters['end']) - Number(parameters['start'])) / 300).toBeLessThan(11_000);
  });

  it('value that is no number stays none', async () => {
    const { send } = serverWith({ load: [{ at: 0, value: Number.NaN }] });
    expect(await prometheusRange({ url, send }, 'load', [0, 300_000])).toEqual([
      { at: 0, value: Number.NaN },
    ]);
  });

  const two = { resultType: 'matrix', result: [{ values: [] }, { values: [] }] };
  it.each<[string, () => Promise<Response>, string]>([
    ['two series', async () => json({ status: 'success', data: two }), 'PROMETHEUS_AMBIGUOUS'],
    [
      'a fault of the query',
      async () => json({ status: 'error', error: 'parse error' }, 400),
      'PROMETHEUS_REFUSED',
    ],
    ['a page', async () => new Response('<html>'), 'PROMETHEUS_REFUSED'],
    ['too much', async () => json({}, 429), 'Throttled'],
    ['a fault of its own', async () => json({}, 503), 'Throttled'],
    ['nothing', () => Promise.reject(new TypeError('fetch failed')), 'Throttled'],
  ])('answer of %s is an error that says so', async (_, send, code) => {
    const found = prometheusRange({ url, send: send as typeof fetch }, 'load', [0, 300_000]);
    await expect(found).rejects.toMatchObject(code === 'Throttled' ? { name: code } : { code });
  });
});
