import { passageEnd } from '../../lib/training/models/vectors/skip-gram-chunk.ts';
import { tokenize } from '../../lib/training/models/vectors/tokens.ts';
import { readManifest, streamPassages } from '../job/artifacts.ts';
import type { JobContext } from '../job/context.ts';
import { inputUri } from '../job/context.ts';
import { JobFailure, jobExit } from '../job/failure.ts';
import { checkInterrupted } from '../job/run-job.ts';
import { Spool } from '../job/spool.ts';

/** Rarer words are left out of the vocabulary. */
const fewest = 2;

/** Largest vocabulary; the most frequent words stay. */
const mostWords = 20_000;

/** Different words that are counted at a time; with more, the rarest are forgotten (as word2vec's ReduceVocab does). */
const mostCounted = 2_000_000;

/** Rows of one block, a multiple of every chunk; and bytes of rows that stay in memory. */
const blockRows = 1_048_576;
const rowBudget = 256 * 1_048_576;

/** Training data as row numbers. */
export interface Corpus {
  readonly words: readonly string[];
  readonly counts: readonly number[];
  /** Rows in order of the text, `passageEnd` between passages. */
  readonly length: number;
  readonly tokens: number;
  readonly tokensFound: number;
  readonly checksum: string;
  /** Rows from a place that is a multiple of `count`, which divides a block. */
  rows(from: number, count: number): Promise<Uint16Array>;
  drop(): Promise<void>;
}

/** Words of the passages until the tenant's cap of tokens is reached, passage by passage. */
class Words {
  readonly #context: JobContext;
  used = 0;
  found = 0;
  checksum = '';

  constructor(context: JobContext) {
    this.#context = context;
  }

  async *read(): AsyncGenerator<readonly string[]> {
    const most = this.#context.options.maxTokens ?? Number.POSITIVE_INFINITY;
    const prefix = inputUri(this.#context, 'data');
    const manifest = await readManifest(this.#context.objects, prefix);
    this.checksum = String(manifest.facts['checksum']);
    let passages = 0;
    for await (const { text } of streamPassages(this.#context.objects, prefix, manifest)) {
      passages += 1;
      if (passages % 1_000 === 0) checkInterrupted(this.#context);
      const words = tokenize(text);
      this.found += words.length;
      const kept = words.slice(0, Math.max(0, most - this.used));
      this.used += kept.length;
      if (kept.length > 0) yield kept;
    }
  }
}

/** Counts words in bounded memory: a count may be short by what was forgotten before, the same every time. */
class Counter {
  readonly counts = new Map<string, number>();
  #forgotten = 0;

  add(word: string): void {
    const count = this.counts.get(word);
    // A word cut out of a text keeps the text in memory; a copy of it does not.
    if (count === undefined) this.counts.set(Buffer.from(word).toString(), 1);
    else this.counts.set(word, count + 1);
    if (this.counts.size > mostCounted) this.#forget();
  }

  #forget(): void {
    this.#forgotten += 1;
    for (const [word, count] of this.counts) if (count <= this.#forgotten) this.counts.delete(word);
  }
}

/** The vocabulary: most frequent first, ties by spelling. */
async function countWords(words: Words): Promise<(readonly [string, number])[]> {
  const counter = new Counter();
  for await (const passage of words.read()) for (const word of passage) counter.add(word);
  const kept = [...counter.counts]
    .filter(([, count]) => count >= fewest)
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
    .slice(0, mostWords);
  if (kept.length < 10)
    throw new JobFailure(
      jobExit.data,
      'DATA_VOCABULARY',
      `Only ${kept.length} words occur at least ${fewest} times; at least 10 are needed.`,
    );
  return kept;
}

/** Writes the passages as rows into the spool; gives the number of rows. */
async function encodeRows(words: Words, rowOf: ReadonlyMap<string, number>, spool: Spool): Promise<number> {
  let block = new Uint16Array(blockRows);
  let held = 0;
  let length = 0;
  for await (const passage of words.read()) {
    const known = passage.flatMap((word) => rowOf.get(word) ?? []);
    for (const row of [...known, passageEnd]) {
      block[held] = row;
      held += 1;
      length += 1;
      if (held < blockRows) continue;
      await spool.add(new Uint8Array(block.buffer));
      block = new Uint16Array(blockRows);
      held = 0;
    }
  }
  if (held > 0) await spool.add(new Uint8Array(block.buffer.slice(0, held * 2)));
  return length;
}

/** A corpus over a spool of rows; the block in use stays in memory. */
function corpusOver(context: JobContext, spool: Spool): Pick<Corpus, 'rows' | 'drop'> {
  let inUse: { readonly block: number; readonly rows: Uint16Array } | undefined;
  return {
    rows: async (from, count) => {
      const block = Math.floor(from / blockRows);
      if (inUse?.block !== block) {
        checkInterrupted(context);
        const bytes = await spool.read(block);
        inUse = { block, rows: new Uint16Array(new Uint8Array(bytes).buffer) };
      }
      return inUse.rows.subarray(from % blockRows, (from % blockRows) + count);
    },
    drop: () => spool.drop(),
  };
}

/** Reads the prepared passages twice: to count their words, and to number them. */
export async function loadCorpus(context: JobContext): Promise<Corpus> {
  const kept = await countWords(new Words(context));
  const spool = new Spool(context, 'rows', rowBudget);
  const words = new Words(context);
  try {
    const length = await encodeRows(words, new Map(kept.map(([word], row) => [word, row])), spool);
    return {
      words: kept.map(([word]) => word),
      counts: kept.map(([, count]) => count),
      length,
      tokens: words.used,
      tokensFound: words.found,
      checksum: words.checksum,
      ...corpusOver(context, spool),
    };
  } catch (error) {
    await spool.drop();
    throw error;
  }
}
