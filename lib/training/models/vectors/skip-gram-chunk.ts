import { bucketsOf, next, type SkipGramOptions, type SkipGramShape, seedOf } from './skip-gram.ts';
import { type SkipGramLayout, tableSizeOf } from './skip-gram-memory.ts';

/** Marks the end of a passage among the rows of a corpus. */
export const passageEnd = 0xffff;

/** Share of all words above which a word is thinned out (Mikolov et al. 2013 use 1e-5 on corpora 10,000 times larger). */
const frequent = 1e-3;

/** Which chunk of which epoch. */
export interface ChunkPlace {
  readonly epoch: number;
  readonly at: number;
}

/** Everything a chunk is planned from. */
export interface ChunkPlanner {
  /** Writes pairs and tables of a chunk into the shared memory; gives the number of pairs. */
  plan(rows: Uint16Array, place: ChunkPlace): number;
}

/** Fills one table of rows to draw negatives from, each as often as its weight asks. */
function fillTable(table: Uint32Array, rows: Uint16Array, weights: Float64Array): void {
  let total = 0;
  for (const row of rows) total += weights[row] as number;
  let place = 0;
  let reached = (weights[rows[0] ?? 0] as number) / total;
  for (let index = 0; index < table.length; index += 1) {
    table[index] = rows[place] as number;
    if (index / table.length > reached && place < rows.length - 1) {
      place += 1;
      reached += (weights[rows[place] as number] as number) / total;
    }
  }
}

/**
 * Deals the words to the partitions: each `partitions` neighbours in frequency go to different ones, by chance, so that all are
 * equally heavy and words meet others as negatives in every chunk.
 */
function deal(words: number, partitions: number, seed: number): Uint8Array {
  const dealt = new Uint8Array(words);
  const order = Uint8Array.from({ length: partitions }, (_, index) => index);
  let random = seed;
  for (let first = 0; first < words; first += partitions) {
    for (let last = partitions - 1; last > 0; last -= 1) {
      random = next(random);
      const other = random % (last + 1);
      const held = order[last] as number;
      order[last] = order[other] as number;
      order[other] = held;
    }
    const count = Math.min(partitions, words - first);
    for (let index = 0; index < count; index += 1) dealt[first + index] = order[index] as number;
  }
  return dealt;
}

/** The chunk without most occurrences of its most frequent words; where one is left out, its neighbours meet. */
function thin(rows: Uint16Array, keep: Float64Array, seed: number, thinned: Uint16Array): Uint16Array {
  let length = 0;
  let random = seed;
  for (const row of rows) {
    if (row !== passageEnd) {
      random = next(random);
      if (random > (keep[row] as number)) continue;
    }
    thinned[length] = row;
    length += 1;
  }
  return thinned.subarray(0, length);
}

/** Pairs of a chunk before they are sorted. */
interface Unsorted {
  readonly contexts: Uint16Array;
  readonly centres: Uint16Array;
  count: number;
}

/** All pairs of a word and its neighbours, the window drawn for each word (Mikolov et al. 2013). */
function collect(rows: Uint16Array, window: number, seed: number, into: Unsorted): void {
  const { contexts, centres } = into;
  let random = seed;
  let count = 0;
  for (let at = 0; at < rows.length; at += 1) {
    const centre = rows[at] as number;
    if (centre === passageEnd) continue;
    random = next(random);
    const reach = 1 + (random % window);
    const last = Math.min(rows.length - 1, at + reach);
    let side = at - 1;
    const first = Math.max(0, at - reach);
    for (; side >= first && rows[side] !== passageEnd; side -= 1) {
      contexts[count] = rows[side] as number;
      centres[count] = centre;
      count += 1;
    }
    for (side = at + 1; side <= last && rows[side] !== passageEnd; side += 1) {
      contexts[count] = rows[side] as number;
      centres[count] = centre;
      count += 1;
    }
  }
  into.count = count;
}

/** Sorts pairs into buckets by the partitions of context and centre; within a bucket they keep their order. */
function sort(
  { contexts, centres, count }: Unsorted,
  dealt: Uint8Array,
  { partitions }: SkipGramShape,
  { pairs, starts }: { readonly pairs: Uint32Array; readonly starts: Uint32Array },
): void {
  const bucketOf = (index: number) =>
    (dealt[contexts[index] as number] as number) * partitions + (dealt[centres[index] as number] as number);
  starts.fill(0);
  for (let index = 0; index < count; index += 1) {
    const after = bucketOf(index) + 1;
    starts[after] = (starts[after] as number) + 1;
  }
  for (let bucket = 1; bucket < starts.length; bucket += 1)
    starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number);
  const next = Uint32Array.from(starts);
  for (let index = 0; index < count; index += 1) {
    const bucket = bucketOf(index);
    const place = (next[bucket] as number) * 2;
    next[bucket] = (next[bucket] as number) + 1;
    pairs[place] = contexts[index] as number;
    pairs[place + 1] = centres[index] as number;
  }
}

/** Makes the planner of a training over words with these counts, most frequent first. */
export function makePlanner(
  buffer: SharedArrayBuffer,
  layout: SkipGramLayout,
  counts: readonly number[],
  options: SkipGramOptions,
  shape: SkipGramShape,
): ChunkPlanner {
  const { window, seed } = options;
  const { partitions, chunkRows } = shape;
  const most = chunkRows * 2 * window;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const keep = Float64Array.from(counts, (count) => 2 ** 32 * Math.sqrt((frequent * total) / count));
  const weights = Float64Array.from(counts, (count) => count ** 0.75);
  const tableSize = tableSizeOf(shape);
  const tables = Array.from(
    { length: partitions },
    (_, index) => new Uint32Array(buffer, layout.tables + index * tableSize * 4, tableSize),
  );
  const sorted = {
    pairs: new Uint32Array(buffer, layout.pairs, most * 2),
    starts: new Uint32Array(buffer, layout.starts, bucketsOf(shape) + 1),
  };
  const thinned = new Uint16Array(chunkRows);
  const unsorted: Unsorted = { contexts: new Uint16Array(most), centres: new Uint16Array(most), count: 0 };
  const all = Uint16Array.from(counts, (_, row) => row);
  let dealt: Uint8Array | undefined;
  const dealAgain = (random: number) => {
    if (dealt && partitions === 1) return dealt;
    const made = deal(counts.length, partitions, random);
    for (const [index, table] of tables.entries())
      fillTable(table, partitions === 1 ? all : all.filter((row) => made[row] === index), weights);
    return made;
  };
  return {
    plan: (rows, { epoch, at }) => {
      dealt = dealAgain(seedOf(seed, epoch, at, 1));
      const kept = thin(rows, keep, seedOf(seed, epoch, at, 2), thinned);
      collect(kept, window, seedOf(seed, epoch, at, 3), unsorted);
      sort(unsorted, dealt, shape, sorted);
      return unsorted.count;
    },
  };
}
