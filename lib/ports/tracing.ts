/** Trace segments of one invocation at a time; nothing where nobody collects them. */
export interface Tracing {
  begin(name: string): void;
  /** Closes the segment with `fields` as annotations and, if there was one, the error. */
  end(fields: Readonly<Record<string, string | number>>, error?: unknown): void;
}
