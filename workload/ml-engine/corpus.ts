import { tokenize } from '../../lib/training/models/vectors/tokens.ts';
import { type Passage, readPassages } from '../job/artifacts.ts';
import type { JobContext } from '../job/context.ts';
import { inputOf } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';

/** Rarer words are left out of the vocabulary. */
const fewest = 2;

/** Largest vocabulary; the most frequent words stay. */
const mostWords = 20_000;

/** Training data as row numbers. */
export interface Corpus {
  readonly words: readonly string[];
  readonly counts: readonly number[];
  /** Rows in order of the text, -1 between passages. */
  readonly rows: Int32Array;
  readonly tokens: number;
  readonly tokensFound: number;
  readonly checksum: string;
}

/** Passages until the tenant's cap of tokens is reached. */
function capped(
  passages: readonly Passage[],
  maxTokens: number,
): { readonly texts: string[][]; readonly used: number; readonly found: number } {
  const texts: string[][] = [];
  let used = 0;
  let found = 0;
  for (const { text } of passages) {
    const words = tokenize(text);
    found += words.length;
    const kept = words.slice(0, Math.max(0, maxTokens - used));
    used += kept.length;
    if (kept.length > 0) texts.push(kept);
  }
  return { texts, used, found };
}

/** Loads the prepared passages and numbers their words, most frequent first, ties by spelling. */
export async function loadCorpus(context: JobContext): Promise<Corpus> {
  const { manifest, passages } = await readPassages(context.objects, inputOf(context, 'data'));
  const { texts, used, found } = capped(passages, context.options.maxTokens ?? Number.POSITIVE_INFINITY);
  const frequency = new Map<string, number>();
  for (const words of texts) for (const word of words) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  const kept = [...frequency.entries()]
    .filter(([, count]) => count >= fewest)
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
    .slice(0, mostWords);
  if (kept.length < 10)
    throw new JobFailure(
      jobExit.data,
      'DATA_VOCABULARY',
      `Only ${kept.length} words occur at least ${fewest} times; at least 10 are needed.`,
    );
  const rowOf = new Map(kept.map(([word], row) => [word, row]));
  const rows = texts.flatMap((words) => [...words.flatMap((word) => rowOf.get(word) ?? []), -1]);
  return {
    words: kept.map(([word]) => word),
    counts: kept.map(([, count]) => count),
    rows: Int32Array.from(rows),
    tokens: used,
    tokensFound: found,
    checksum: String(manifest.facts['checksum']),
  };
}
