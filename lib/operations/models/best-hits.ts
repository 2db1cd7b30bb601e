import { BestRows, type Hit } from '../../training/models/vectors/best-rows.ts';
import type { IndexFiles } from './index-files.ts';

/** What the cosine counts beside the words; measured, together with the words' own weights, by `npm run bench -- search`. */
const cosineWeight = 0.15;

/** The rows that fit best by words and by vector; none when neither knows a word of the question. */
export function bestOf(lexical: Float32Array, cosines: Float32Array | undefined, k: number): readonly Hit[] {
  const best = lexical.reduce((most, score) => Math.max(most, score), 0);
  const rows = new BestRows(k);
  if (best === 0 && !cosines) return [];
  for (let row = 0; row < lexical.length; row += 1) {
    const [words, cosine] = [lexical[row] ?? 0, cosines?.[row] ?? 0];
    rows.add(row, best === 0 ? cosine : words / best + cosineWeight * cosine);
  }
  return rows.hits;
}

/** Rows that are read alone at a time, and how many may be: of more, the whole index is read. */
const rowsAtOnce = 32;
const mostAlone = 4_096;

/** Rounding may put a cosine above 1 by its last digits. */
const reach = cosineWeight * 1.001;

/** Rows that may be among the best `k`, those that fit best by words first; undefined where any row may. */
function candidatesOf(lexical: Float32Array, best: number, k: number): readonly number[] | undefined {
  const byWords = new BestRows(k);
  for (let row = 0; row < lexical.length; row += 1) byWords.add(row, lexical[row] ?? 0);
  const last = byWords.hits[k - 1];
  // The worst of them has at least this, and a row that words put lower cannot have more.
  const floor = (last?.score ?? 0) / best - 2 * reach;
  if (!last || floor <= 0) return undefined;
  const rows: number[] = [];
  for (let row = 0; row < lexical.length; row += 1) if ((lexical[row] ?? 0) / best >= floor) rows.push(row);
  return rows.sort((a, b) => (lexical[b] ?? 0) - (lexical[a] ?? 0) || a - b);
}

/**
 * What `bestOf` gives, from the vectors of the rows that words put near the best: a cosine is at most 1. Undefined where words found too little
 * for that, or too many rows.
 */
export async function bestByWords(
  index: Pick<IndexFiles, 'scoreOne'>,
  lexical: Float32Array,
  vector: Float32Array,
  k: number,
): Promise<readonly Hit[] | undefined> {
  const best = lexical.reduce((most, score) => Math.max(most, score), 0);
  const candidates = best === 0 ? undefined : candidatesOf(lexical, best, k);
  if (!candidates) return undefined;
  const fitOf = (row: number) => (lexical[row] ?? 0) / best;
  let found: Hit[] = [];
  for (let at = 0; at < candidates.length; at += rowsAtOnce) {
    const worst = found[k - 1]?.score ?? Number.NEGATIVE_INFINITY;
    if (fitOf(candidates[at] ?? 0) + reach < worst) break;
    if (at >= mostAlone) return undefined;
    const scored = candidates.slice(at, at + rowsAtOnce).map(async (row) => {
      // As `bestOf` has them: in 32 bits.
      const cosine = Math.fround(await index.scoreOne(vector, row));
      return { row, score: fitOf(row) + cosineWeight * cosine };
    });
    found = [...found, ...(await Promise.all(scored))]
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .slice(0, k);
  }
  return found;
}
