import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { Attempt } from '../../lib/training/run.ts';
import { causeText, plain } from '../output.ts';

/** Pieces of a log that are read in search of its last line. */
const mostPieces = 64;

/** Characters of a line that are shown. */
const longestLine = 600;

/** What the backend says of a job that said nothing itself. */
const wordless = /^(The job |it (exited|was killed|was stopped))/;

/** The message of a line of JSON, or the line. */
function messageOf(line: string): string {
  try {
    const { message } = JSON.parse(line) as { readonly message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Plain text.
  }
  return line;
}

/** Last line of one of a job's streams; undefined for an empty or an unreadable one. */
async function lastLine(
  control: Pick<OperatorApi, 'logs'>,
  { jobName, backend, jobId, settledAt }: Attempt,
  stream: 'stdout' | 'stderr',
): Promise<string | undefined> {
  const job = { jobName, backend, ...(jobId ? { jobId } : {}), ...(settledAt ? { settledAt } : {}) };
  let tail = '';
  try {
    for (let at = 0, piece = 0; piece < mostPieces; piece += 1) {
      const { text, nextByte, ended } = await control.logs.read(job, stream, at);
      tail = (tail + text).slice(-16_384);
      if (ended || nextByte === at) break;
      at = nextByte;
    }
  } catch {
    // The reason is known without it.
  }
  // What Node says below a stack trace is about itself.
  const lines = tail.split('\n').filter((line) => line.trim() !== '' && !/^(Node\.js v|\s+at )/.test(line));
  const line = lines.at(-1);
  return line === undefined ? undefined : messageOf(line);
}

/** Why an attempt failed, in its job's own words where it had any: its result, or else the last line it wrote. */
export async function lastWords(control: Pick<OperatorApi, 'logs'>, attempt: Attempt): Promise<string> {
  const cause = causeText(attempt.cause);
  if (!wordless.test(cause)) return plain(cause).slice(0, longestLine);
  const line = (await lastLine(control, attempt, 'stderr')) ?? (await lastLine(control, attempt, 'stdout'));
  return plain(line === undefined ? cause : `${cause}; its last line: ${line}`).slice(0, longestLine);
}
