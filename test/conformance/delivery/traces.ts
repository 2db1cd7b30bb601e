import { stageNames } from '../../../lib/training/stages.ts';
import type { Collected, CollectedSpan, Collector } from './collector.ts';
import { until } from './processes.ts';
import type { Check } from './rule-tests.ts';

const root = 'tenant-model-training';
const isTime = (time: string) => Number(time) > 1.7e18;

/** What is wrong with the trace of one run. */
function faultsOf({ service, spans }: Collected, night: CollectedSpan | undefined): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const [run] = spans.filter(({ name }) => name === root);
  if (!run || byId.size !== spans.length) return [`${spans.length} spans, ${byId.size} ids, no ${root}`];
  const faults = spans.flatMap((span) => {
    const { name, traceId, parentSpanId, startTimeUnixNano: from, endTimeUnixNano: to } = span;
    const parent = byId.get(parentSpanId ?? '');
    if (traceId !== run.traceId || !/^[0-9a-f]{32}$/.test(traceId)) return [`${name} is of another trace`];
    if (span !== run && !parent) return [`${name} has a parent that was not sent with it`];
    if (!isTime(from) || BigInt(to) < BigInt(from)) return [`${name} ends before it begins`];
    return parent && BigInt(from) < BigInt(parent.startTimeUnixNano)
      ? [`${name} begins before its parent`]
      : [];
  });
  const stages = spans.filter(({ parentSpanId }) => parentSpanId === run.spanId).map(({ name }) => name);
  for (const stage of stageNames) {
    if (!stages.includes(stage)) faults.push(`there is no stage ${stage}`);
    if (!spans.some(({ name }) => name === `${stage} attempt 1`)) faults.push(`${stage} has no attempt`);
  }
  const link = run.links?.[0];
  if (link?.traceId !== night?.traceId || link?.spanId !== night?.spanId)
    faults.push('the run is not linked to the span of its night');
  if (service !== 'epsilon') faults.push(`the service is ${service}`);
  return faults;
}

/** What OpenTelemetry's own receiver took of a night of so many tenants: a request for each run, with its whole trace, and one for the night. */
export async function nightIsTraced(collector: Collector, tenants: number): Promise<Check[]> {
  const of = (wanted: string) =>
    collector.requests.filter(({ spans }) => spans.some(({ name }) => name === wanted));
  const complete = await until('the traces of the night', 60, async () =>
    of(root).length === tenants && of('nightly-training').length === 1 ? true : undefined,
  ).then(
    () => ({}),
    (error: Error) => ({
      fault: `${error.message}: ${of(root).length} runs, ${of('nightly-training').length} nights`,
    }),
  );
  const night = of('nightly-training')[0]?.spans.find(({ name }) => name === 'nightly-training');
  return [
    {
      name: `a collector of OpenTelemetry took a request for each of ${tenants} runs, and one for the night`,
      ...complete,
    },
    ...of(root).map((request, index): Check => {
      const name = `trace ${index + 1}: ${request.spans.length} spans of one run, each with its parent, linked to the night`;
      const faults = faultsOf(request, night);
      return faults.length === 0 ? { name } : { name, fault: faults.join('; ') };
    }),
  ];
}
