/** Version of the lists; others are not read, and the passages are looked through instead. */
export const wordListsVersion = 1;

/** Names of the files below the prefix of an index. */
export const wordListNames = {
  /** Last: without it there are none. */
  about: 'words/lists.json',
  /** 32 bits for each row (`rowFacts`). */
  rows: 'words/rows.bin',
  /** Pairs of 32 bits: a row, and how many passages before it have none. */
  gaps: 'words/gaps.bin',
  /** 257 numbers of 32 bits for each segment: where its buckets begin. */
  begins: 'words/begins.bin',
  segment: (number: number) => `words/segment-${String(number).padStart(5, '0')}.bin`,
} as const;

/** What `lists.json` says. */
export interface AboutWordLists {
  readonly version: number;
  readonly rows: number;
  readonly segments: number;
  /** Files of passages, in order, each with the number of its first one. */
  readonly files: readonly { readonly name: string; readonly first: number }[];
}
