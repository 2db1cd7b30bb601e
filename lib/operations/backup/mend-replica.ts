import { createHash } from 'node:crypto';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';

type Needed = Pick<Ports, 'objects' | 'replica' | 'log'>;

/** An object at the destination that is not what its record says. */
export interface Differing {
  /** URIs of the source and of what differs from it. */
  readonly from: string;
  readonly to: string;
  /** Checksum on record. */
  readonly sha256: string;
}

/** Passes content on, and throws at its end when it is not what was expected: what is written from it is not written then. */
async function* onlyIf(sha256: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const piece of content) {
    hash.update(piece);
    yield piece;
  }
  if (hash.digest('hex') !== sha256) throw new Error('the source differs from the record as well');
}

/**
 * Writes the source's object over one at the destination that differs: S3's own job leaves alone what has arrived. The version that
 * differed stays beneath. Gives why it could not; undefined when the object was written.
 */
export async function mendReplica(
  { objects, replica, log }: Needed,
  { from, to, sha256 }: Differing,
): Promise<string | undefined> {
  try {
    await required(replica).objects.put(to, onlyIf(sha256, objects.stream(from)));
  } catch (error) {
    return (error as Error).message;
  }
  log.warn('object at the destination replaced, it differed from its record', { from, to });
  return undefined;
}
