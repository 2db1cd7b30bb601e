/** Ids as a parameter. */
export interface IdSource {
  /** A ULID: 26 characters, sorts by time of making. */
  ulid(): string;
  /** A W3C trace id: 32 lower-case hex digits. */
  traceId(): string;
  /** An unguessable url-safe string of `bytes` random bytes (tokens, trace ids). */
  secret(bytes: number): string;
}
