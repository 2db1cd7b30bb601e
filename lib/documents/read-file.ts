import { EpsilonError } from '../errors/epsilon-error.ts';
import { collect, FileFault, textBytes } from './bytes.ts';
import {
  type DocumentFile,
  type Found,
  largestDocument,
  type Pieces,
  type ReadingOptions,
  type SkipReason,
} from './found.ts';
import { kindOf, recordsOf } from './records.ts';
import { isHtml, normaliseText, textOf } from './text.ts';

/** What an error of the file system or of the object store says about this one file. */
const faults: Readonly<Record<string, SkipReason>> = {
  ENOENT: 'vanished',
  ENOTDIR: 'vanished',
  ESTALE: 'vanished',
  OBJECT_NOT_FOUND: 'vanished',
  EACCES: 'unreadable',
  EPERM: 'unreadable',
  ELOOP: 'unreadable',
  EISDIR: 'special',
  ENXIO: 'special',
  ENAMETOOLONG: 'unreadable',
  OBJECT_URI_INVALID: 'unreadable',
};

/** Errors of the file system that concern this process, whichever file it was about to read. */
const concernsAll: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Any other error of the file system is this file's own: EIO of a broken disk, EINVAL and ESRCH of files that are made up (/proc). */
function isOfFile({ code = '', syscall }: NodeJS.ErrnoException): boolean {
  return syscall !== undefined && /^E[A-Z0-9]+$/.test(code) && !concernsAll.has(code);
}

/** The fault of one file, or undefined when the error is not about this file alone. */
export function faultOf(
  error: unknown,
): { readonly skipped: SkipReason; readonly detail: string } | undefined {
  if (error instanceof FileFault) return { skipped: error.reason, detail: error.message };
  const known = (error ?? {}) as NodeJS.ErrnoException;
  const { code = '' } = known;
  const skipped = faults[code] ?? (isOfFile(known) ? 'unreadable' : undefined);
  return skipped === undefined ? undefined : { skipped, detail: code };
}

/** Bytes that ought to be text, as the document they are. */
async function documentOf(source: string, bytes: Uint8Array): Promise<Found> {
  const raw = textOf(bytes);
  if (raw === undefined) return { source, skipped: 'notText' };
  // Loaded with the first page.
  const text = normaliseText(isHtml(source, raw) ? (await import('./html.ts')).htmlText(raw) : raw);
  return text === '' ? { source, skipped: 'empty' } : { source, text };
}

async function* rowsIn(
  kind: 'jsonl' | 'csv',
  source: string,
  pieces: Pieces,
  options: ReadingOptions,
): AsyncGenerator<Found> {
  for await (const row of recordsOf(kind, source, pieces, options)) {
    if ('skipped' in row) {
      const { line, skipped, detail } = row;
      yield { source: `${source}#${line}`, skipped, detail: `line ${line} ${detail}` };
    } else yield await documentOf(`${source}#${row.name}`, row.bytes);
  }
}

/**
 * The documents of one file: one, or one a row. A fault of the file is reported among them and ends it; what went wrong for all files,
 * and a file with too many bad rows (`DATA_CSV`, `DATA_JSONL`), is thrown.
 */
export async function* documentsIn(file: DocumentFile, options: ReadingOptions): AsyncGenerator<Found> {
  const { source } = file;
  const kind = kindOf(source);
  try {
    const pieces = await textBytes(file.open());
    if (kind) {
      yield* rowsIn(kind, source, pieces, options);
      return;
    }
    const bytes = await collect(pieces, largestDocument);
    yield bytes ? await documentOf(source, bytes) : { source, skipped: 'tooLarge' };
  } catch (error) {
    const fault = faultOf(error);
    if (!fault) throw error;
    yield { source, ...fault };
  }
}

/** A refusal of all documents: `DOCUMENTS_NOT_FOUND`, `_EMPTY`, `_UNREADABLE` with the place. */
export function refusal(code: string, message: string, cause?: unknown): EpsilonError {
  return new EpsilonError(code, message, cause === undefined ? {} : { cause });
}
