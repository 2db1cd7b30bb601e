import { fileURLToPath, pathToFileURL } from 'node:url';
import { EpsilonError } from '../errors/epsilon-error.ts';

/** Longest path of Linux, in bytes (PATH_MAX). */
const longestPath = 4_096;

function invalid(uri: string, why: string): EpsilonError {
  const shown = uri.length > 200 ? `${uri.slice(0, 200)}... (${uri.length} characters)` : uri;
  return new EpsilonError('DOCUMENTS_URI_INVALID', `${JSON.stringify(shown)} is no file:///path: ${why}.`);
}

/** The `file:` URI of an absolute path. `pathOfFileUri` gives exactly this path back, whatever characters are in it. */
export function fileUriOf(path: string): string {
  if (Buffer.byteLength(path) > longestPath) throw invalid(path, `it has more than ${longestPath} bytes`);
  return pathToFileURL(path).href;
}

/**
 * The path of a `file:` URI, every %XX decoded; throws `DOCUMENTS_URI_INVALID` for a "%" that begins no %XX, bytes that are not
 * UTF-8, another host, NUL, and paths that are too long. "?" and "#" are taken as they are: a path has no query.
 */
export function pathOfFileUri(uri: string): string {
  if (!uri.startsWith('file:///')) throw invalid(uri, 'it does not begin with file:///');
  let path: string;
  try {
    path = fileURLToPath(uri.replace(/[?#]/g, encodeURIComponent));
  } catch (error) {
    throw invalid(uri, (error as Error).message);
  }
  if (path.includes('\0')) throw invalid(uri, 'it has a NUL character');
  if (Buffer.byteLength(path) > longestPath) throw invalid(uri, `it has more than ${longestPath} bytes`);
  return path;
}
