/** One event for Epsilon's bus; `detail` is `{schemaVersion, tenantId, runId, logicalDate, traceId, data}`. */
export interface OutgoingEvent {
  readonly source: `epsilon.${string}`;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The event bus. Entries that the bus rejects are retried alone; throws `EVENTS_NOT_ACCEPTED` when some stay rejected. */
export interface EventPublisher {
  publish(events: readonly OutgoingEvent[]): Promise<void>;
}
