import type { Run } from '../training/run.ts';
import { placeIn } from './ids.ts';
import type { Span } from './span.ts';

/** When the first run of a night began; undefined where none has. */
export function beginningOfNight(
  nightArn: string,
  runs: readonly Pick<Run, 'nightArn' | 'startedAt'>[],
): string | undefined {
  return runs
    .flatMap((run) => (run.nightArn === nightArn ? [run.startedAt] : []))
    .reduce<string | undefined>((first, at) => (first === undefined || at < first ? at : first), undefined);
}

/** What an event "Night Judged" says of a night. */
export interface JudgedNight {
  readonly runId: string;
  readonly logicalDate: string;
  readonly traceparent: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The span of a night that was judged at a moment (milliseconds); undefined where the event does not say which one it is. */
export function spanOfNight(
  { runId, logicalDate, traceparent, data }: JudgedNight,
  now: number,
): Span | undefined {
  const place = placeIn(traceparent);
  if (!place) return undefined;
  const { startedAt, met, ...counts } = data;
  const begun = typeof startedAt === 'string' ? Date.parse(startedAt) : Number.NaN;
  const numbers = Object.entries(counts).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return {
    ...place,
    name: 'nightly-training',
    from: Number.isNaN(begun) ? now : begun,
    until: now,
    attributes: {
      'epsilon.night': runId,
      'epsilon.logical_date': logicalDate,
      ...Object.fromEntries(numbers.map(([name, value]) => [`epsilon.tenants.${name}`, value])),
    },
    ...(met === false ? { error: 'not above the target' } : {}),
  };
}
