/** Why something at a tenant's documents is not trained on; the word is the name of its count. */
export const skipReasons = {
  tooLarge: 'larger than 16 MiB',
  notText: 'no UTF-8 text',
  binary: 'another kind of file',
  empty: 'empty',
  duplicate: 'the same text as another',
  overCap: "beyond the tenant's cap of documents",
  hidden: 'its name begins with "."',
  link: 'a link that leads out of the folder, or nowhere',
  special: 'no file (a pipe, a socket, a device)',
  unreadable: 'may not be read',
  vanished: 'gone before it was read',
  brokenArchive: 'compressed, and broken',
  noColumn: 'without the column of the texts',
  badRow: 'a broken row',
} as const;

/** One of the reasons. */
export type SkipReason = keyof typeof skipReasons;

/** What is left out on purpose and is no document at all: not among the documents found. */
export const notDocuments: ReadonlySet<SkipReason> = new Set(['hidden', 'link', 'special']);

/** A document's text, or something that is none. */
export type Found =
  | { readonly source: string; readonly text: string }
  | {
      readonly source: string;
      readonly skipped: SkipReason;
      /** What exactly: the kind of file, the place in it. */
      readonly detail?: string;
    };

/** How files are read. */
export interface ReadingOptions {
  readonly textColumn: string;
  readonly idColumn: string;
  /** Share of a file's rows that may be bad. One may always be. */
  readonly badRowShare: number;
}

/** How files are read where the tenant's record does not say. */
export const defaultReading: ReadingOptions = { textColumn: 'text', idColumn: 'id', badRowShare: 0.01 };

/** How files are read where a record says some of it: `undefined` stands for the default. */
export function readingOptions(
  given: { readonly [K in keyof ReadingOptions]?: ReadingOptions[K] | undefined } | undefined,
): ReadingOptions {
  return {
    textColumn: given?.textColumn ?? defaultReading.textColumn,
    idColumn: given?.idColumn ?? defaultReading.idColumn,
    badRowShare: given?.badRowShare ?? defaultReading.badRowShare,
  };
}

/** Larger than this is no document but data: 16 MiB. */
export const largestDocument = 16 * 1_048_576;

/** Bytes in pieces, in order. */
export type Pieces = AsyncIterable<Uint8Array>;

/** A file or object that may hold documents. */
export interface DocumentFile {
  /** Its place below the folder, with slashes. */
  readonly source: string;
  readonly size: number;
  /** When it was written, milliseconds since the Unix epoch. */
  readonly modifiedAt: number;
  open(): Pieces;
}

/** One row of a file that holds many documents. */
export type Row =
  | { readonly name: string | number; readonly bytes: Uint8Array }
  | {
      /** Line of the row, from 1. */
      readonly line: number;
      readonly skipped: SkipReason;
      readonly detail: string;
    };
