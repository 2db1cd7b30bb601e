import { createHash } from 'node:crypto';
import type { DocumentFile, Found } from '../documents/found.ts';
import { Tally } from '../documents/tally.ts';
import type { Listing, Profile } from './profile.ts';

/** Characters of a document whose letters are counted by script. */
const scriptWindow = 400;

/** Scripts that are told apart; letters of others count as "Other". */
const scripts = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Arabic',
  'Hebrew',
  'Devanagari',
  'Bengali',
  'Tamil',
  'Thai',
] as const;

const patterns = scripts.map((name) => ({ name, pattern: new RegExp(`\\p{Script=${name}}`, 'gu') }));

/** What a listing says: the data's digest, size and age. Objects come in the order of their names. */
export class ListingProfile {
  readonly #hash = createHash('sha256');
  #files = 0;
  #bytes = 0;
  #newest = Number.NEGATIVE_INFINITY;

  add({ source, size, modifiedAt }: DocumentFile): void {
    this.#hash.update(`${JSON.stringify([source, size, modifiedAt])}\n`);
    this.#files += 1;
    this.#bytes += size;
    this.#newest = Math.max(this.#newest, modifiedAt);
  }

  close(): Listing {
    return {
      digest: this.#hash.digest('hex'),
      files: this.#files,
      bytes: this.#bytes,
      newestArrival: this.#files === 0 ? null : new Date(this.#newest).toISOString(),
    };
  }
}

/** What the documents themselves say, told one after another. */
export class DocumentProfile {
  readonly #tally = new Tally();
  readonly #scripts = new Map<string, number>();
  #lengths = 0;
  #squares = 0;

  add(found: Found): void {
    const text = this.#tally.take(found);
    if (text === undefined) return;
    this.#lengths += text.length;
    this.#squares += text.length * text.length;
    this.#countLetters(text.slice(0, scriptWindow));
  }

  #countLetters(text: string): void {
    let rest = text.match(/\p{L}/gu)?.length ?? 0;
    const count = (name: string, letters: number) => {
      if (letters > 0) this.#scripts.set(name, (this.#scripts.get(name) ?? 0) + letters);
    };
    for (const { name, pattern } of patterns) {
      if (rest <= 0) return;
      const letters = text.match(pattern)?.length ?? 0;
      count(name, letters);
      rest -= letters;
    }
    count('Other', rest);
  }

  /** The profile, with what the listing said; `sampled` when not every document was told. */
  close(listing: Listing, sampled: boolean): Profile {
    const { found, used, duplicate = 0, empty = 0, hidden: _, ...rest } = this.#tally.counts;
    const unreadable = (['tooLarge', 'notText', 'binary', 'unreadable', 'brokenArchive', 'badRow'] as const)
      .map((reason) => rest[reason] ?? 0)
      .reduce((sum, each) => sum + each, 0);
    const mean = used === 0 ? null : this.#lengths / used;
    const variance = mean === null ? 0 : Math.max(0, this.#squares / used - mean * mean);
    return {
      ...listing,
      found,
      used,
      unreadable,
      empty,
      duplicates: duplicate,
      meanLength: mean,
      lengthDeviation: Math.sqrt(variance),
      scripts: Object.fromEntries([...this.#scripts].toSorted(([a], [b]) => a.localeCompare(b))),
      sampled,
      leftOut: this.#tally.describe().slice(0, 500),
    };
  }
}
