import { createHash } from 'node:crypto';
import { FingerprintSet } from './fingerprints.ts';
import { type Found, notDocuments, type SkipReason, skipReasons } from './found.ts';

/** Something that was left out, for people. */
export interface Named {
  readonly source: string;
  readonly reason: SkipReason;
  readonly detail?: string;
}

/** Counts of what was found: `found`, `used`, and each reason that occurred. */
export type Counts = Readonly<{ found: number; used: number } & Partial<Record<SkipReason, number>>>;

/** A name in a message is no longer than this. */
const longestName = 120;

/** Things of each kind that are named. */
const namedEach = 5;

/** Reasons that are always among the counts, as they have always been. */
const always = ['tooLarge', 'notText', 'empty', 'duplicate', 'overCap'] as const;

/** Decides which texts are used (the first of equal ones, up to the cap), counts everything and names what was left out. */
export class Tally {
  readonly #most: number;
  readonly #texts = new FingerprintSet();
  readonly #counts: { found: number; used: number } & Partial<Record<SkipReason, number>>;
  readonly #named: Named[] = [];

  constructor(maxDocuments = Number.POSITIVE_INFINITY) {
    this.#most = maxDocuments;
    const zeros = Object.fromEntries(always.map((reason) => [reason, 0]));
    this.#counts = { found: 0, used: 0, ...zeros };
  }

  /** The text, when it is one to use. */
  take(found: Found): string | undefined {
    if ('skipped' in found) return this.#skip(found.source, found.skipped, found.detail);
    const digest = createHash('sha256').update(found.text).digest('hex');
    if (!this.#texts.add(digest)) return this.#skip(found.source, 'duplicate');
    if (this.#counts.used >= this.#most) return this.#skip(found.source, 'overCap');
    this.#counts.found += 1;
    this.#counts.used += 1;
    return found.text;
  }

  #skip(source: string, reason: SkipReason, detail?: string): undefined {
    if (!notDocuments.has(reason)) this.#counts.found += 1;
    const count = (this.#counts[reason] ?? 0) + 1;
    this.#counts[reason] = count;
    // What is many and nobody's fault is not named one by one.
    if (count > namedEach || reason === 'duplicate' || reason === 'overCap') return;
    const name = source.length > longestName ? `${source.slice(0, longestName - 3)}...` : source;
    this.#named.push({
      source: name,
      reason,
      ...(detail === undefined ? {} : { detail: detail.slice(0, longestName) }),
    });
  }

  get counts(): Counts {
    return this.#counts;
  }

  /** What was left out by name, the first of each reason. */
  get named(): readonly Named[] {
    return this.#named;
  }

  /** What memory the decision about equal texts takes, in bytes. */
  get bytes(): number {
    return this.#texts.bytes;
  }

  /** What was left out and why, in words: `3 × no UTF-8 text, 1 × empty ("b.txt")`. */
  describe(): string {
    const parts = (Object.keys(skipReasons) as SkipReason[]).flatMap((reason) => {
      const count = this.#counts[reason] ?? 0;
      if (count === 0) return [];
      const names = this.#named
        .filter((one) => one.reason === reason)
        .slice(0, 3)
        .map(({ source, detail }) => `${JSON.stringify(source)}${detail === undefined ? '' : ` ${detail}`}`);
      const shown = names.length === 0 ? '' : ` (${names.join(', ')}${count > names.length ? ', ...' : ''})`;
      return [`${count} × ${skipReasons[reason]}${shown}`];
    });
    return parts.join(', ');
  }
}
