import { EpsilonError } from '../errors/epsilon-error.ts';
import { ListingProfile } from '../quality/document-profile.ts';
import type { JudgedObjects } from '../quality/gate.ts';
import { type AcceptFile, listDocumentFiles, type ReadableObjects } from './documents.ts';

/** Those of the objects at a place that a verdict is about. */
export interface JudgedFiles {
  readonly accept: AcceptFile;
  /** Objects that came later and are left out. */
  readonly later: number;
}

/**
 * Compares what is there now with what was judged. Objects that came later are left out; when one that was judged is gone or was
 * replaced, nobody has looked at what would be trained on: `DATA_NOT_JUDGED`.
 */
export async function findJudged(
  objects: ReadableObjects,
  uri: string,
  { digest, at }: JudgedObjects,
): Promise<JudgedFiles> {
  const [all, before] = [new ListingProfile(), new ListingProfile()];
  const until = Date.parse(at);
  let later = 0;
  for await (const file of listDocumentFiles(objects, uri)) {
    if (!('open' in file)) continue;
    all.add(file);
    if (file.modifiedAt <= until) before.add(file);
    else later += 1;
  }
  if (all.close().digest === digest) return { accept: () => true, later: 0 };
  if (before.close().digest === digest) return { accept: ({ modifiedAt }) => modifiedAt <= until, later };
  throw new EpsilonError(
    'DATA_NOT_JUDGED',
    `Objects at ${uri} were replaced or removed since the quality check of ${at}. The next check looks at them; then train again.`,
  );
}
