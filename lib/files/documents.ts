import type { DocumentFile, Found, ReadingOptions } from '../documents/found.ts';
import { documentsIn, refusal } from '../documents/read-file.ts';
import { pathOfFileUri } from '../objects/file-uri.ts';
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';
import { findPlace, listDocuments } from './document-files.ts';

/** Which files are read; all where nothing is said. */
export type AcceptFile = (file: Pick<DocumentFile, 'source' | 'modifiedAt'>) => boolean;

/** What reading documents asks of an object store. */
export type ReadableObjects = Pick<ObjectStore, 'head' | 'list' | 'stream'>;

function fileOf(
  objects: ReadableObjects,
  { uri, size, modifiedAt }: ObjectInfo,
  source: string,
): DocumentFile {
  return { source, size, modifiedAt, open: () => objects.stream(uri) };
}

async function* objectsAt(
  objects: ReadableObjects,
  uri: string,
): AsyncGenerator<DocumentFile | Extract<Found, { readonly skipped: unknown }>> {
  if (!uri.endsWith('/')) {
    const found = await objects.head(uri);
    if (!found) throw refusal('DOCUMENTS_NOT_FOUND', `There are no documents at ${uri}.`);
    yield fileOf(objects, found, uri.slice(uri.lastIndexOf('/') + 1));
    return;
  }
  for await (const info of objects.list(uri)) {
    const source = info.uri.slice(uri.length);
    // S3's console marks a folder by an empty object.
    if (source.endsWith('/') || source === '') continue;
    if (/(^|\/)\./.test(source)) yield { source, skipped: 'hidden' };
    else yield fileOf(objects, info, source);
  }
}

/** A file, or what is left out by its name or kind. */
export type ListedFile = DocumentFile | Extract<Found, { readonly skipped: unknown }>;

/**
 * Files and objects at a tenant's documents, and what is left out there by its name or kind, in the order of their names; none is
 * opened. Errors as of `readDocuments`.
 */
export async function* listDocumentFiles(objects: ReadableObjects, uri: string): AsyncGenerator<ListedFile> {
  if (uri.startsWith('file:')) yield* listDocuments(await findPlace(pathOfFileUri(uri)));
  else yield* objectsAt(objects, uri);
}

/** How files are read, and which. */
export type SelectiveReading = ReadingOptions & { readonly accept?: AcceptFile | undefined };

/**
 * Documents of a tenant and what is left out there, in the order of their names: a folder, a glob or a file (`file://`), or a
 * prefix or object (`s3://`). Errors: `DOCUMENTS_NOT_FOUND`, `DOCUMENTS_UNREADABLE`, `DOCUMENTS_URI_INVALID`,
 * `OBJECT_URI_INVALID`, and `DATA_CSV` or `DATA_JSONL` for a file with too many bad rows.
 */
export async function* readDocuments(
  objects: ReadableObjects,
  uri: string,
  { accept = () => true, ...options }: SelectiveReading,
): AsyncGenerator<Found> {
  for await (const file of listDocumentFiles(objects, uri)) {
    if ('skipped' in file) yield file;
    else if (accept(file)) yield* documentsIn(file, options);
  }
}

/** Documents in files that were listed already. Errors: those of single files, as of `readDocuments`. */
export async function* readListed(
  files: Iterable<ListedFile>,
  { accept = () => true, ...options }: SelectiveReading,
): AsyncGenerator<Found> {
  for (const file of files) {
    if ('skipped' in file) yield file;
    else if (accept(file)) yield* documentsIn(file, options);
  }
}
