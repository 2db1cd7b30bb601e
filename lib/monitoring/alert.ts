import type { CountName } from '../metrics/definitions.ts';

/** How soon somebody has to look: at once, also at night, or on the next working day. */
export type Severity = 'critical' | 'warning';

/** Something was counted so often within a period. */
export interface Counted {
  readonly kind: 'counted';
  readonly metric: CountName;
  /** Seconds. */
  readonly period: number;
  /** From this number on. */
  readonly atLeast: number;
  /** Looks at this many periods, of which so many must be so; one of one otherwise. */
  readonly periods?: { readonly of: number; readonly over: number };
}

/** Something that is counted again and again was not counted within a period. */
export interface Silent {
  readonly kind: 'silent';
  readonly metric: CountName;
  /** Seconds. */
  readonly period: number;
}

/** A share of what was counted within a period; a period in which nothing was counted is no fault. */
export interface Share {
  readonly kind: 'share';
  /** The metrics that make the whole, by short names. */
  readonly whole: Readonly<Record<string, CountName>>;
  /** What the share is of: one of `whole`, or a metric beside it. */
  readonly part: readonly [name: string, metric: CountName];
  /** Seconds. */
  readonly period: number;
  /** `atMost` the target of the environment, `atLeast` what the target leaves (1 - target), or a share of at least so many. */
  readonly bound: 'atMost' | 'atLeast' | { readonly share: number; readonly ofAtLeast: number };
}

/** A condition on what only Prometheus reads, in its language. */
export interface Query {
  readonly kind: 'query';
  readonly expression: string;
  /** How long it must hold, as Prometheus writes it. */
  readonly for: string;
}

/** A condition on the metrics that AWS keeps of each function, machine, queue or table; the plugin finds which there are. */
export interface OfAws {
  readonly kind: 'aws';
  /** Seconds. */
  readonly period: number;
  /** From this value on; 1 otherwise. */
  readonly atLeast?: number;
  readonly periods?: { readonly of: number; readonly over: number };
}

/** One alert: what it watches, and the sentence that people get. docs/operate.md has what to do. */
export interface Alert<W = Counted | Silent | Share | Query | OfAws> {
  readonly severity: Severity;
  /** One sentence for the person who is woken. */
  readonly summary: string;
  readonly watched: W;
}

/** Alerts by name. */
export type Alerts<W = Counted | Silent | Share | Query | OfAws> = Readonly<Record<string, Alert<W>>>;
