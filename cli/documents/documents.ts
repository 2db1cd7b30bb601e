import { resolve } from 'node:path';
import { largestDocument, type SkipReason, skipReasons } from '../../lib/documents/found.ts';
import { kindOf } from '../../lib/documents/records.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { findPlace, type LocalDocument, listDocuments } from '../../lib/files/document-files.ts';
import { fileUriOf, pathOfFileUri } from '../../lib/objects/file-uri.ts';
import { parseObjectUri } from '../../lib/objects/object-uri.ts';

/** A tenant's documents on this host. */
export interface DocumentFiles {
  readonly files: readonly LocalDocument[];
  /** What is left out, and why. */
  readonly skipped: readonly { readonly source: string; readonly reason: SkipReason }[];
  /** One file was named, not a folder or a glob. */
  readonly single: boolean;
}

/** The path that was named, as a path or as a `file:` URI. Errors: `USAGE`, `DOCUMENTS_URI_INVALID`. */
function pathOf(given: string): string {
  if (given.trim() === '') throw new EpsilonError('USAGE', '--documents is empty.');
  return given.startsWith('file:') ? pathOfFileUri(given) : resolve(given);
}

/**
 * Where documents are, as a URI; a local folder, file or glob must be there and readable. Errors: `USAGE`,
 * `DOCUMENTS_NOT_FOUND`, `DOCUMENTS_EMPTY`, `DOCUMENTS_UNREADABLE`, `DOCUMENTS_URI_INVALID`, `OBJECT_URI_INVALID`.
 */
export async function documentsUriOf(given: string): Promise<string> {
  if (given.startsWith('s3://')) {
    parseObjectUri(given);
    return given;
  }
  const path = pathOf(given);
  await firstFile(path);
  return fileUriOf(path);
}

/** Throws unless something is there: what exactly it is, reading it shows. */
async function firstFile(path: string): Promise<void> {
  const left: string[] = [];
  for await (const listed of listDocuments(await findPlace(path))) {
    if (!('skipped' in listed)) return;
    left.push(`${JSON.stringify(listed.source)} (${skipReasons[listed.skipped]})`);
  }
  const why = left.length === 0 ? '' : `: ${left.slice(0, 5).join(', ')}${left.length > 5 ? ', ...' : ''}`;
  throw new EpsilonError('DOCUMENTS_EMPTY', `There is no document at ${path}${why}.`);
}

function fits({ source, size }: LocalDocument): boolean {
  return size <= largestDocument || kindOf(source) !== undefined || source.endsWith('.gz');
}

/** The files of a tenant's documents, as the data stage would read them from this host. */
export async function documentFiles(given: string): Promise<DocumentFiles> {
  const place = await findPlace(pathOf(given));
  const files: LocalDocument[] = [];
  const skipped: { source: string; reason: SkipReason }[] = [];
  for await (const listed of listDocuments(place)) {
    if ('skipped' in listed) skipped.push({ source: listed.source, reason: listed.skipped });
    else if (fits(listed)) files.push(listed);
    else skipped.push({ source: listed.source, reason: 'tooLarge' });
  }
  if (files.length === 0) throw new EpsilonError('DOCUMENTS_EMPTY', `There is no document at ${place.path}.`);
  return { files, skipped, single: place.kind === 'file' };
}
