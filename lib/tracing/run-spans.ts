import type { Attempt, Run } from '../training/run.ts';
import { type StageName, stageNames } from '../training/stages.ts';
import {
  placeIn,
  placeOfNight,
  spanIdOfAttempt,
  spanIdOfRun,
  spanIdOfStage,
  spanIdOfWait,
  traceIdOfRun,
} from './ids.ts';
import type { Span } from './span.ts';

const at = (instant: string) => Date.parse(instant);

/** Only what is there. */
function known(
  attributes: Readonly<Record<string, string | number | boolean | undefined>>,
): Span['attributes'] {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
    ),
  );
}

/** An attempt that has ended, with the span of its wait for a machine. */
function ofAttempt(attempt: Attempt, parentSpanId: string, traceId: string, end: number): Span[] {
  const spanId = spanIdOfAttempt(attempt);
  const { stage, backend, capacity, status, startedAt, submittedAt, finishedAt } = attempt;
  const from = at(attempt.intentAt);
  const until = Math.max(from, finishedAt === undefined ? end : at(finishedAt));
  const own: Span = {
    traceId,
    spanId,
    parentSpanId,
    name: `${stage} attempt ${attempt.attempt}`,
    from,
    until,
    attributes: known({
      'epsilon.stage': stage,
      'epsilon.attempt': attempt.attempt,
      'epsilon.job': attempt.jobName,
      'epsilon.backend': backend,
      'epsilon.capacity': capacity,
      'epsilon.status': status,
      'epsilon.reason': attempt.reason,
      'epsilon.exit_code': attempt.exitCode,
    }),
    ...(status === 'succeeded' ? {} : { error: attempt.cause ?? attempt.error ?? status }),
  };
  const waitUntil = startedAt === undefined ? until : at(startedAt);
  const waitFrom = submittedAt === undefined ? from : at(submittedAt);
  if (waitUntil <= waitFrom) return [own];
  const because = attempt.capacityBecause;
  const wait: Span = {
    traceId,
    spanId: spanIdOfWait(spanId, 'machine'),
    parentSpanId: spanId,
    name: 'wait for a machine',
    from: waitFrom,
    until: waitUntil,
    attributes: known({
      'epsilon.wait.for': `${capacity} capacity of ${backend}`,
      'epsilon.wait.because': because,
    }),
  };
  return [own, wait];
}

/** The pause before an attempt, and which error of the one before it asked for it. */
function pauseBefore(
  attempt: Attempt,
  before: Attempt | undefined,
  parentSpanId: string,
  traceId: string,
): Span[] {
  if (before?.finishedAt === undefined || at(attempt.intentAt) <= at(before.finishedAt)) return [];
  return [
    {
      traceId,
      spanId: spanIdOfWait(spanIdOfAttempt(attempt), 'retry'),
      parentSpanId,
      name: 'wait for the next try',
      from: at(before.finishedAt),
      until: at(attempt.intentAt),
      attributes: known({
        'epsilon.wait.for': 'retry',
        'epsilon.wait.because': before.error ?? before.status,
      }),
    },
  ];
}

function ofStage(run: Run, stage: StageName, attempts: readonly Attempt[], end: number): Span[] {
  const [first] = attempts;
  const last = attempts.at(-1);
  if (!first || !last) return [];
  const traceId = traceIdOfRun(run);
  const spanId = spanIdOfStage(run.runId, run.redriveCount, stage);
  const inner = attempts.flatMap((attempt, index) => [
    ...pauseBefore(attempt, attempts[index - 1], spanId, traceId),
    ...ofAttempt(attempt, spanId, traceId, end),
  ]);
  const own: Span = {
    traceId,
    spanId,
    parentSpanId: spanIdOfRun(run),
    name: stage,
    from: at(first.intentAt),
    until: Math.max(...inner.map(({ until }) => until)),
    attributes: known({ 'epsilon.stage': stage, 'epsilon.attempts': attempts.length }),
    ...(last.status === 'succeeded' ? {} : { error: last.error ?? last.status }),
  };
  return [own, ...inner];
}

/**
 * The spans of the try of a run that has just settled: the run, its stages, their attempts and waits. What an earlier try has done was sent
 * when that settled. `now` is in milliseconds.
 */
export function spansOfRun(run: Run, all: readonly Attempt[], now: number): Span[] {
  const attempts = all
    .filter(({ redriveCount }) => redriveCount === run.redriveCount)
    .toSorted((a, b) => a.attempt - b.attempt);
  const end = run.finishedAt === undefined ? now : at(run.finishedAt);
  const begins = attempts.map(({ intentAt }) => at(intentAt));
  const from = run.redriveCount === 0 ? at(run.startedAt) : Math.min(end, ...begins);
  const started = run.traceparent === undefined ? undefined : placeIn(run.traceparent);
  const links = [
    ...(run.nightArn === undefined ? [] : [placeOfNight(run.nightArn)]),
    ...(started ? [started] : []),
  ];
  const own: Span = {
    traceId: traceIdOfRun(run),
    spanId: spanIdOfRun(run),
    name: 'tenant-model-training',
    from,
    until: Math.max(end, from),
    attributes: known({
      'epsilon.run': run.runId,
      'epsilon.tenant': run.tenantId,
      'epsilon.logical_date': run.logicalDate,
      'epsilon.trigger': run.trigger,
      'epsilon.execution': run.executionArn,
      'epsilon.redrive_count': run.redriveCount,
      'epsilon.status': run.status,
      'epsilon.model_version': run.modelVersion,
      // What every log line of the run names.
      'epsilon.trace_id': run.traceId,
    }),
    ...(links.length === 0 ? {} : { links }),
    ...(run.status === 'succeeded' ? {} : { error: run.cause ?? run.error ?? run.status }),
  };
  return [
    own,
    ...stageNames.flatMap((stage) =>
      ofStage(
        run,
        stage,
        attempts.filter((one) => one.stage === stage),
        end,
      ),
    ),
  ];
}
