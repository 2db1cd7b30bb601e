import type { CountName, DurationName } from '../metrics/definitions.ts';

/** Counters and durations, named in docs/metrics.md. */
export interface Metrics {
  count(name: CountName, value: number, dimensions?: Readonly<Record<string, string>>): void;
  duration(name: DurationName, milliseconds: number, dimensions?: Readonly<Record<string, string>>): void;
  /** Writes what was counted since the last time; the handler stack calls it at the end of every invocation. */
  flush?(): void;
}
