import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { Throttled } from '../errors/run-errors.ts';
import type { Reading } from '../scaling/hourly-series.ts';

/** Seconds between two values that are asked for; Prometheus gives at most 11,000 of them. */
const step = 300;

/** Milliseconds that an answer may take. */
const patience = 15_000;

/** The part of an answer that is read: a list of series, each with its values. */
interface Answer {
  readonly status?: string;
  readonly error?: string;
  readonly data?: {
    readonly resultType?: string;
    readonly result?: readonly { readonly values?: readonly (readonly [number, string])[] }[];
  };
}

const refuse = (code: string, message: string) =>
  new EpsilonError(code, message, { exitCode: exitCodes.backend });

async function ask(url: string, send: typeof fetch): Promise<Answer> {
  let response: Response;
  try {
    response = await send(url, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(patience),
    });
  } catch (error) {
    throw new Throttled(`Prometheus does not answer: ${String(error)}`, error);
  }
  const { status } = response;
  if (status === 429 || status >= 500) throw new Throttled(`Prometheus answers ${status}.`, undefined);
  const text = await response.text();
  try {
    const answer = JSON.parse(text) as Answer;
    if (answer.status === 'success') return answer;
    throw refuse('PROMETHEUS_REFUSED', `Prometheus refuses the query: ${String(answer.error).slice(0, 300)}`);
  } catch (error) {
    if (error instanceof EpsilonError) throw error;
    throw refuse('PROMETHEUS_REFUSED', `Prometheus answers ${status} with something that is no JSON.`);
  }
}

/**
 * Values of a query over a time, by five minutes, of the one series that it has; none where nothing was measured. As long ago as Prometheus keeps.
 * Errors: `Throttled`, `PROMETHEUS_REFUSED`, `PROMETHEUS_AMBIGUOUS` for a query of several series.
 */
export async function prometheusRange(
  { url, send = fetch }: { readonly url: string; readonly send?: typeof fetch },
  query: string,
  [from, until]: readonly [number, number],
): Promise<Reading[]> {
  const first = Math.ceil(from / 1000 / step) * step;
  const last = Math.ceil(until / 1000 / step) * step - step;
  if (last < first) return [];
  const asked = new URL('api/v1/query_range', url.endsWith('/') ? url : `${url}/`);
  asked.search = new URLSearchParams({
    query,
    start: String(first),
    end: String(last),
    step: String(step),
  }).toString();
  const { data } = await ask(asked.href, send);
  const series = data?.result ?? [];
  if (data?.resultType !== 'matrix' || series.length > 1)
    throw refuse(
      'PROMETHEUS_AMBIGUOUS',
      `the query has ${series.length} series, one is wanted: add them up with sum(...).`,
    );
  return (series[0]?.values ?? []).map(([at, value]) => ({ at: at * 1000, value: Number(value) }));
}
