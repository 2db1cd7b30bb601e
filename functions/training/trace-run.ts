import { z } from 'zod';
import { detailTypes, envelopeOf } from '../../lib/event-schemas/detail.ts';
import { noteTraceFields } from '../../lib/event-schemas/trace-fields.ts';
import { awsStores, awsTraces, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler, type Invocation } from '../../lib/handler/define-handler.ts';
import { spansOfRun } from '../../lib/tracing/run-spans.ts';

const input = envelopeOf(z.object({ runId: z.string().min(1) })).extend({
  source: z.literal('epsilon.training'),
  'detail-type': z.literal(detailTypes.runStateChange),
});

const aws = [awsStores, awsTraces] as const;

/**
 * Sends the trace of a run that has settled, in one batch, from its records: a crash before it loses nothing that a repeated event does not
 * bring, and a repetition sends the same spans. Does nothing where the settings name no collector.
 */
export function createTraceRun({ runs, traces, config, clock }: Wired<typeof aws>) {
  return async ({ detail: { runId } }: z.output<typeof input>, { log }: Invocation) => {
    if (config.tracing.mode === 'off') return { outcome: 'off' };
    const found = await runs.getRunWithAttempts(runId);
    if (!found) return { outcome: 'unknown' };
    noteTraceFields(found.run);
    // A redrive has taken the run up again: its own end sends it.
    if (found.run.status === 'running') return { outcome: 'running' };
    const spans = spansOfRun(found.run, found.attempts, clock.now());
    await traces.send(spans);
    log.debug('trace sent', { runId, spans: spans.length });
    return { outcome: 'sent', spans: spans.length };
  };
}

export const handler = defineHandler({
  name: 'traceRun',
  input,
  aws,
  create: createTraceRun,
});
