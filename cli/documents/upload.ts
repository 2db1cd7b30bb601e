import { collect } from '../../lib/documents/bytes.ts';
import { skipReasons } from '../../lib/documents/found.ts';
import { faultOf } from '../../lib/documents/read-file.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { LocalDocument } from '../../lib/files/document-files.ts';
import type { ObjectInfo } from '../../lib/ports/object-store.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { plain } from '../output.ts';
import { checkSignal, type Session } from '../session.ts';
import { documentFiles } from './documents.ts';

/** Files under way at a time. */
const atOnce = 8;

/** What an upload did. */
export interface Uploaded {
  /** Where the documents are now: a prefix, or the object when one file was named. */
  readonly documentsUri: string;
  readonly uploaded: number;
  /** Files that were there already, as they are here. */
  readonly unchanged: number;
  /** Files that are left out: too large, hidden, not to be read, gone meanwhile. */
  readonly skipped: number;
  /** Objects below the prefix that are not files here. */
  readonly others: number;
  readonly bytes: number;
}

/** Prefix of a tenant's own documents: the tenant's jobs may read below the tenant's prefix only. */
export function documentsPrefix({ config }: OperatorApi, tenantId: string): string {
  return `s3://${config.dataBucket}/${tenantId}/documents/`;
}

/**
 * Checks that a tenant's jobs can read a URI and that something is there. `DOCUMENTS_OUT_OF_REACH`, `DOCUMENTS_NOT_FOUND`.
 */
export async function checkDocuments(control: OperatorApi, tenantId: string, uri: string): Promise<void> {
  const reach = `s3://${control.config.dataBucket}/${tenantId}/`;
  if (!uri.startsWith(reach))
    throw new EpsilonError(
      'DOCUMENTS_OUT_OF_REACH',
      `Jobs of tenant "${tenantId}" may read below ${reach} only. Copy them there with: aws s3 sync ${uri} ${documentsPrefix(control, tenantId)} or name a folder of this host, which is then uploaded.`,
    );
  if (!uri.endsWith('/')) {
    if (await control.objects.head(uri)) return;
  } else {
    for await (const _ of control.objects.list(uri)) return;
  }
  throw new EpsilonError('DOCUMENTS_NOT_FOUND', `There are no documents at ${uri}.`);
}

async function objectsBelow(
  objects: OperatorApi['objects'],
  prefix: string,
): Promise<Map<string, ObjectInfo>> {
  const found = new Map<string, ObjectInfo>();
  for await (const object of objects.list(prefix)) found.set(object.uri, object);
  return found;
}

const isThere = ({ size, modifiedAt }: LocalDocument, object: ObjectInfo | undefined) =>
  object !== undefined && object.size === size && object.modifiedAt >= modifiedAt;

const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`;

/** One line that is rewritten on a terminal, and a line per tenth elsewhere. */
function progressOf({ output }: Session, total: number): (done: number, bytes: number) => void {
  let reported = 0;
  return (done, bytes) => {
    if (output.json) return;
    const text = `  uploaded ${done} of ${total} documents, ${mebibytes(bytes)}`;
    if (output.terminal) output.write(`\r\u001b[2K${text}${done === total ? '\n' : ''}`);
    else if (done === total || done >= reported + total / 10) {
      reported = done;
      output.write(`${text}\n`);
    }
  };
}

/** Files up to this size are uploaded whole, larger ones in parts. */
const wholeBytes = 16 * 1_048_576;

/** Uploads one file; gives the fault when it is this file's alone. */
async function upload(
  { documents }: OperatorApi,
  tenantId: string,
  file: LocalDocument,
): Promise<string | undefined> {
  try {
    const body = file.size <= wholeBytes ? await collect(file.open(), wholeBytes) : undefined;
    await documents.put({ tenantId, name: file.source, body: body ?? file.open() });
    return undefined;
  } catch (error) {
    const fault = faultOf(error);
    if (!fault) throw error;
    return skipReasons[fault.skipped];
  }
}

/**
 * Uploads documents of this host below the tenant's prefix, with progress. What is there already is left alone, so that
 * an upload that was interrupted goes on where it was.
 */
export async function uploadDocuments(
  session: Session,
  control: OperatorApi,
  tenantId: string,
  given: string,
): Promise<Uploaded> {
  const { files, skipped, single } = await documentFiles(given);
  const prefix = documentsPrefix(control, tenantId);
  const there = await objectsBelow(control.objects, prefix);
  const wanted = files.filter((file) => !isThere(file, there.get(prefix + file.source)));
  const report = progressOf(session, wanted.length);
  const queue = [...wanted];
  let done = 0;
  let bytes = 0;
  let failed = 0;
  const work = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      checkSignal(session, 'the same command goes on with the documents that are missing.');
      const fault = await upload(control, tenantId, file);
      if (fault !== undefined) {
        failed += 1;
        session.output.warn(`  left out: ${plain(file.source)} (${fault})\n`);
      } else bytes += file.size;
      done += 1;
      report(done, bytes);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const names = new Set(files.map(({ source }) => prefix + source));
  return {
    documentsUri: single ? prefix + (files[0]?.source ?? '') : prefix,
    uploaded: wanted.length - failed,
    unchanged: files.length - wanted.length,
    skipped: skipped.length + failed,
    others: [...there.keys()].filter((uri) => !names.has(uri)).length,
    bytes,
  };
}
