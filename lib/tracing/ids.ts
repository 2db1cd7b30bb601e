import { createHash } from 'node:crypto';
import type { Attempt, Run } from '../training/run.ts';
import type { StageName } from '../training/stages.ts';

/** A place in a trace, as W3C names it. */
export interface SpanPlace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
}

/** Ids are made of what a span is of, so that whoever sends it again sends the same span. */
const digest = (...of: readonly (string | number)[]) =>
  createHash('sha256').update(of.join('\n')).digest('hex');

/** Trace of one run: its own, which links to its night's; the one that its start brought or made where no night began it. */
export function traceIdOfRun({
  executionArn,
  nightArn,
  traceId,
}: Pick<Run, 'executionArn' | 'nightArn' | 'traceId'>): string {
  return nightArn === undefined ? traceId : digest(executionArn).slice(0, 32);
}

/** Span of one try of a run; a redrive is another one. */
export function spanIdOfRun({ runId, redriveCount }: Pick<Run, 'runId' | 'redriveCount'>): string {
  return digest('run', runId, redriveCount).slice(0, 16);
}

/** Span of a stage within a try of its run. */
export function spanIdOfStage(runId: string, redriveCount: number, stage: StageName): string {
  return digest('stage', runId, redriveCount, stage).slice(0, 16);
}

/** Span of an attempt. */
export function spanIdOfAttempt(of: Pick<Attempt, 'runId' | 'stage' | 'attempt'>): string {
  return digest('attempt', of.runId, of.stage, of.attempt).slice(0, 16);
}

/** Span of a wait that belongs to an attempt: for its machine, or before its intent. */
export function spanIdOfWait(attemptSpanId: string, kind: 'machine' | 'retry'): string {
  return digest('wait', attemptSpanId, kind).slice(0, 16);
}

/** The span of a night, in the trace that all its log lines name; a redrive is another one. */
export function placeOfNight(nightArn: string, redriveCount = 0): SpanPlace {
  const of = redriveCount === 0 ? [] : [redriveCount];
  return { traceId: digest(nightArn).slice(0, 32), spanId: digest('night', nightArn, ...of).slice(0, 16) };
}

/** W3C's header. */
export function traceparentOf({ traceId, spanId }: SpanPlace): string {
  return `00-${traceId}-${spanId}-01`;
}

/** The header of a run's own span. */
export function traceparentOfRun(run: Run): string {
  return traceparentOf({ traceId: traceIdOfRun(run), spanId: spanIdOfRun(run) });
}

/** What a header says; undefined for one that is none. */
export function placeIn(traceparent: string): SpanPlace | undefined {
  const [, traceId = '', spanId = ''] = traceparentPattern.exec(traceparent) ?? [];
  return /[1-9a-f]/.test(traceId) && /[1-9a-f]/.test(spanId) ? { traceId, spanId } : undefined;
}

/** The form of the header (W3C Trace Context, version 00). */
export const traceparentPattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
