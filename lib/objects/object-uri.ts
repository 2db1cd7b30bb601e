import { EpsilonError } from '../errors/epsilon-error.ts';

/** Where an object is stored. */
export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
}

/** Longest key of S3, in bytes. */
const longestKey = 1_024;

/** A URI for a message: in one piece, but never a page of it. */
function shown(uri: string): string {
  return JSON.stringify(uri.length > 200 ? `${uri.slice(0, 200)}... (${uri.length} characters)` : uri);
}

/**
 * Splits `s3://bucket/key`; throws `OBJECT_URI_INVALID` for other schemes, odd buckets, keys that climb (`..`) and keys of more
 * than 1,024 bytes.
 */
export function parseObjectUri(uri: string): ObjectLocation {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.*)$/s.exec(uri);
  const [, bucket, key] = match ?? [];
  const climbs = key?.split('/').some((part) => part === '..' || part === '.') ?? false;
  if (bucket === undefined || key === undefined || climbs || key.includes('\0') || key.includes('\\')) {
    throw new EpsilonError('OBJECT_URI_INVALID', `${shown(uri)} is not an object URI (s3://bucket/key).`);
  }
  if (Buffer.byteLength(key) > longestKey)
    throw new EpsilonError(
      'OBJECT_URI_INVALID',
      `${shown(uri)} is not an object URI: its key has more than ${longestKey} bytes.`,
    );
  return { bucket, key };
}

/** As `parseObjectUri`, for a prefix: it must end in "/", or `tenant1` would also match `tenant10` (`PREFIX_UNSAFE`). */
export function parsePrefixUri(uri: string): ObjectLocation {
  const location = parseObjectUri(uri);
  if (location.key === '' || location.key.endsWith('/')) return location;
  throw new EpsilonError('PREFIX_UNSAFE', `Prefix ${shown(uri)} must end in "/".`);
}
