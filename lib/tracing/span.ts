import type { SpanPlace } from './ids.ts';

/** A span that is over. */
export interface Span extends SpanPlace {
  readonly parentSpanId?: string;
  readonly name: string;
  /** Milliseconds since the Unix epoch. */
  readonly from: number;
  readonly until: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links?: readonly SpanPlace[];
  /** Why what it is of failed. */
  readonly error?: string;
}
