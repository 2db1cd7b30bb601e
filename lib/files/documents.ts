import type { DocumentFile, Found, ReadingOptions } from '../documents/found.ts';
import { documentsIn, refusal } from '../documents/read-file.ts';
import { pathOfFileUri } from '../objects/file-uri.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { findPlace, listDocuments } from './document-files.ts';

/** What reading documents asks of an object store. */
export type ReadableObjects = Pick<ObjectStore, 'head' | 'list' | 'stream'>;

function fileOf(objects: ReadableObjects, uri: string, source: string, size: number): DocumentFile {
  return { source, size, open: () => objects.stream(uri) };
}

async function* objectsAt(
  objects: ReadableObjects,
  uri: string,
): AsyncGenerator<DocumentFile | Extract<Found, { readonly skipped: unknown }>> {
  if (!uri.endsWith('/')) {
    const found = await objects.head(uri);
    if (!found) throw refusal('DOCUMENTS_NOT_FOUND', `There are no documents at ${uri}.`);
    yield fileOf(objects, uri, uri.slice(uri.lastIndexOf('/') + 1), found.size);
    return;
  }
  for await (const { uri: each, size } of objects.list(uri)) {
    const source = each.slice(uri.length);
    // S3's console marks a folder by an empty object.
    if (source.endsWith('/') || source === '') continue;
    if (/(^|\/)\./.test(source)) yield { source, skipped: 'hidden' };
    else yield fileOf(objects, each, source, size);
  }
}

/**
 * Documents of a tenant and what is left out there, in the order of their names: a folder, a glob or a file (`file://`), or a
 * prefix or object (`s3://`). Errors: `DOCUMENTS_NOT_FOUND`, `DOCUMENTS_UNREADABLE`, `DOCUMENTS_URI_INVALID`,
 * `OBJECT_URI_INVALID`, and `DATA_CSV` or `DATA_JSONL` for a file with too many bad rows.
 */
export async function* readDocuments(
  objects: ReadableObjects,
  uri: string,
  options: ReadingOptions,
): AsyncGenerator<Found> {
  const files = uri.startsWith('file:')
    ? listDocuments(await findPlace(pathOfFileUri(uri)))
    : objectsAt(objects, uri);
  for await (const file of files) {
    if ('skipped' in file) yield file;
    else yield* documentsIn(file, options);
  }
}
