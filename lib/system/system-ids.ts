import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import type { Clock } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';

/** Bytes of entropy fetched at a time: a call for each of a ULID's 16 digits takes longer than all else about it. */
const fetched = 4_096;

/** Numbers from 0 to 1 (255/256 at most) from the system's entropy, as the library draws a ULID's digits. */
function entropy(): () => number {
  let bytes = Buffer.alloc(0);
  let used = 0;
  return () => {
    if (used === bytes.length) {
      bytes = randomBytes(fetched);
      used = 0;
    }
    used += 1;
    return (bytes[used - 1] ?? 0) / 256;
  };
}

/** Ids of a real control plane: ULIDs of the clock's time, secrets and trace ids from the system's entropy. */
export function systemIds(clock: Clock): IdSource {
  const draw = entropy();
  return {
    ulid: () => ulid(Math.floor(clock.now()), draw),
    traceId: () => randomBytes(16).toString('hex'),
    secret: (bytes) => randomBytes(bytes).toString('base64url'),
  };
}
