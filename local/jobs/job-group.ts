import { existsSync } from 'node:fs';
import { carriesJob } from './environment.ts';
import type { JobFolder } from './job-folder.ts';
import { groupMembers, signal } from './processes.ts';

/** Without its shim a group is only ours when its members carry a job's environment. */
function isOurs(members: readonly number[]): boolean {
  return !existsSync('/proc/self/environ') || members.some((pid) => carriesJob(pid));
}

/** Signals the job and everything it started, but not the shim: it has an exit code to write. Returns how many it found. */
export function signalJob(folder: JobFolder, name: NodeJS.Signals): number {
  const { started } = folder;
  if (!started) return 0;
  const members = groupMembers(started.shim).filter((pid) => pid !== started.shim);
  if (members.length > 0 && !folder.alive && !isOurs(members)) return 0;
  for (const pid of members) signal(pid, name);
  return members.length;
}
