import { z } from 'zod';
import { detailTypes, envelopeOf } from '../../lib/event-schemas/detail.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsStores, awsTraces, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { spanOfNight } from '../../lib/tracing/night-span.ts';
import { spansOfRun } from '../../lib/tracing/run-spans.ts';
import type { Span } from '../../lib/tracing/span.ts';

const ofTraining = { source: z.literal('epsilon.training') };

const input = z.union([
  envelopeOf(z.object({ runId: z.string().min(1) })).extend({
    ...ofTraining,
    'detail-type': z.literal(detailTypes.runStateChange),
  }),
  envelopeOf(
    z.object({
      runId: z.string().min(1),
      logicalDate: z.string(),
      // Absent in an event of a version before.
      traceparent: z.string().default(''),
      data: z.record(z.string(), z.unknown()),
    }),
  ).extend({ ...ofTraining, 'detail-type': z.literal(detailTypes.nightJudged) }),
]);

type Event = z.output<typeof input>;

const aws = [awsStores, awsTraces] as const;

/**
 * Sends the trace of a run that has settled, and the span of a night that was judged, in one batch, from the records: a repetition sends the
 * same spans. What the collector does not take is counted and given up: nothing waits for a trace. Does nothing where the
 * settings name no collector.
 */
export function createTraceRun({ runs, traces, config, clock, metrics }: Wired<typeof aws>) {
  async function spansFor(event: Event): Promise<readonly Span[]> {
    if (event['detail-type'] === detailTypes.nightJudged) {
      const span = spanOfNight(event.detail, clock.now());
      return span ? [span] : [];
    }
    const found = await runs.getRunWithAttempts(event.detail.runId);
    // A redrive may have taken the run up again: its own end sends it.
    if (!found || found.run.status === 'running') return [];
    noteTraceFields(found.run);
    return spansOfRun(found.run, found.attempts, clock.now());
  }

  return async (event: Event, { log }: Invocation) => {
    if (config.tracing.mode === 'off') return { outcome: 'off' };
    const spans = await spansFor(event);
    try {
      await traces.send(spans);
    } catch (error) {
      metrics.count('TracesLost', 1);
      log.warn('trace not sent', { runId: event.detail.runId, error: String(error) });
      return { outcome: 'lost' };
    }
    return { outcome: 'sent', spans: spans.length };
  };
}

export const handler = defineHandler({
  name: 'traceRun',
  input,
  aws,
  create: createTraceRun,
});
