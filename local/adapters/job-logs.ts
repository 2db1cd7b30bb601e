import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { NotFound } from '../../lib/errors/store-errors.ts';
import type { JobLogs } from '../../lib/ports/job-logs.ts';
import { JobFolder } from '../jobs/job-folder.ts';

/** Bytes read at once. */
const chunk = 65_536;

/** Logs of jobs that ran as processes of this host. */
export function fileJobLogs(root: string): JobLogs {
  return {
    read: async ({ jobName }, stream, fromByte) => {
      const folder = /^[a-z0-9-]{1,63}$/.test(jobName) ? new JobFolder(root, jobName) : undefined;
      if (!folder?.exists) throw new NotFound('JOB_NOT_FOUND', `There is no job "${jobName}".`);
      const { finished } = folder;
      const file = await open(join(folder.path, `${stream}.log`)).catch(() => undefined);
      if (!file) return { text: '', nextByte: fromByte, ended: finished };
      try {
        const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(chunk), position: fromByte });
        const end = wholeCharacters(buffer.subarray(0, bytesRead));
        const text = buffer.subarray(0, end).toString('utf8');
        return { text, nextByte: fromByte + end, ended: finished && bytesRead < chunk };
      } finally {
        await file.close();
      }
    },
  };
}

/** Length without a character that is cut at the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needs > back ? bytes.length - back : bytes.length;
    }
    if (byte < 0x80) return bytes.length;
  }
  return bytes.length;
}
