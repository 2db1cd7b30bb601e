import { createHash } from 'node:crypto';

/** SHA-256 of a task token in hex, the only form in which it may be compared or kept in the open. */
export function tokenDigestOf(taskToken: string): string {
  return createHash('sha256').update(taskToken).digest('hex');
}
