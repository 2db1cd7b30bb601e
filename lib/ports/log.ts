/** Structured logging; each call is one line of JSON. Never pass a token or another secret. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A log whose every line carries `fields` too. */
  child(fields: Readonly<Record<string, unknown>>): Log;
}
