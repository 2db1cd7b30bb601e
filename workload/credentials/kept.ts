import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds that credentials have to last to be given once more: SDKs ask anew five minutes before the end. */
const leastLeft = 360_000;

/** Where and for what credentials are kept. */
export interface Keeping {
  /** The job's own folder for temporary files. */
  readonly folder: string;
  /** Everything that the credentials depend on. */
  readonly of: readonly string[];
  readonly now: () => number;
}

/** What a file holds, when it is this user's alone and no link; undefined otherwise. */
function own(file: string): string | undefined {
  try {
    const found = lstatSync(file);
    const isOwn = found.isFile() && (found.mode & 0o077) === 0 && found.uid === process.getuid?.();
    return isOwn ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

function endOf(credentials: string): number {
  try {
    const { Expiration: end } = JSON.parse(credentials) as { readonly Expiration?: string };
    return Date.parse(end ?? '');
  } catch {
    return Number.NaN;
  }
}

/**
 * Credentials of this job that were given before and last long enough, or new ones: a job that opens many clients, or many
 * processes, asks once. They are kept in a file that this user alone may read, in the job's own folder for temporary files; one
 * that cannot be written, is somebody else's or makes no sense counts as none.
 */
export async function kept({ folder, of, now }: Keeping, ask: () => Promise<string>): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 20);
  const file = join(folder, `epsilon-credentials-${digest}.json`);
  const before = own(file);
  if (before !== undefined && endOf(before) - now() >= leastLeft) return before;
  const credentials = await ask();
  if (endOf(credentials) - now() < leastLeft) return credentials;
  try {
    const next = `${file}.${process.pid}`;
    writeFileSync(next, credentials, { mode: 0o600, flag: 'wx' });
    renameSync(next, file);
  } catch {
    // Without room for it the next one asks again.
  }
  return credentials;
}
