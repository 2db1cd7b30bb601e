import { z } from 'zod';

const count = z.int().min(0);

/** What one look at a tenant's documents found. */
export const profileSchema = z.strictObject({
  /** SHA-256 over name, size and time of every object, in the order of their names: the data that was looked at. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  files: count,
  bytes: count,
  /** When the newest object arrived; null without objects. */
  newestArrival: z.iso.datetime().nullable(),
  /** Documents found, and those of them that can be trained on. */
  found: count,
  used: count,
  unreadable: count,
  empty: count,
  duplicates: count,
  /** Mean length of the usable documents in characters; null without any. */
  meanLength: z.number().min(0).nullable(),
  /** Standard deviation of the lengths, in characters. */
  lengthDeviation: z.number().min(0),
  /** Letters by script ("Latin", "Han", ...), of the beginning of each document. */
  scripts: z.record(z.string(), count),
  /** Not everything was read: the documents are larger than the check reads (`quality.maxBytes`). */
  sampled: z.boolean(),
  /** The first things that were left out, for people. */
  leftOut: z.string(),
});

/** What one look at a tenant's documents found. */
export type Profile = z.infer<typeof profileSchema>;

/** What a listing alone says: which data there is, how much, and how old. */
export type Listing = Pick<Profile, 'digest' | 'files' | 'bytes' | 'newestArrival'>;

/** The share of documents found that `part` are; 0 of none. */
export function shareOf(part: number, { found }: Pick<Profile, 'found'>): number {
  return found === 0 ? 0 : part / found;
}
