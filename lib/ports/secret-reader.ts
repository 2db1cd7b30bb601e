/** Secrets, read when they are needed and kept nowhere. A value never stands in a message, a log line or an environment. */
export interface SecretReader {
  /** The secret's current value. Errors: `SECRET_NOT_FOUND`, `SECRET_EMPTY`, naming the secret. */
  read(secretArn: string): Promise<string>;
}
