import type { ImageName } from '../training/stages.ts';

/** Answers of task callbacks: `gone` when the token was used, expired or its execution ended. */
export type CallbackOutcome = 'delivered' | 'gone';

/** Step Functions' callbacks. `gone` is no error: it is counted and swallowed by the caller. */
export interface TaskCallbacks {
  succeed(taskToken: string, output: unknown): Promise<CallbackOutcome>;
  fail(
    taskToken: string,
    failure: { readonly error: string; readonly cause: string },
  ): Promise<CallbackOutcome>;
  heartbeat(taskToken: string): Promise<CallbackOutcome>;
}

/** One event for our bus; `detail` is `{schemaVersion, tenantId, runId, logicalDate, traceId, data}`. */
export interface OutgoingEvent {
  readonly source: `epsilon.${string}`;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The event bus. Entries that the bus rejects are retried alone; throws `EVENTS_NOT_ACCEPTED` when some stay rejected. */
export interface EventPublisher {
  publish(events: readonly OutgoingEvent[]): Promise<void>;
}

/** Tells people. */
export interface Notifier {
  notify(message: {
    readonly subject: string;
    readonly body: string;
    readonly severity: 'info' | 'warning' | 'critical';
  }): Promise<void>;
}

/** Resolves each image to a reference by digest (`name@sha256:...`). */
export interface ImageResolver {
  resolve(names: readonly ImageName[]): Promise<Readonly<Record<ImageName, string>>>;
}

/** Structured logging; each call is one line of JSON. Never pass a token or another secret. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A log whose every line carries `fields` too. */
  child(fields: Readonly<Record<string, unknown>>): Log;
}

/** Counters and durations, named in docs/metrics.md. */
export interface Metrics {
  count(name: string, value: number, dimensions?: Readonly<Record<string, string>>): void;
  duration(name: string, milliseconds: number, dimensions?: Readonly<Record<string, string>>): void;
  /** Writes what was counted since the last time; the handler stack calls it at the end of every invocation. */
  flush?(): void;
}

/** Trace segments of one invocation at a time; nothing where nobody collects them. */
export interface Tracing {
  begin(name: string): void;
  /** Closes the segment with `fields` as annotations and, if there was one, the error. */
  end(fields: Readonly<Record<string, string | number>>, error?: unknown): void;
}
