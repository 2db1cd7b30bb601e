import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import type { Clock } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';

/** Ids of a real control plane: ULIDs of the clock's time, secrets and trace ids from the system's entropy. */
export function systemIds(clock: Clock): IdSource {
  return {
    ulid: () => ulid(Math.floor(clock.now())),
    traceId: () => randomBytes(16).toString('hex'),
    secret: (bytes) => randomBytes(bytes).toString('base64url'),
  };
}
