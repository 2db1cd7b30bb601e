import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { carriesJob } from '../host/environment.ts';
import { childrenOf, commandOf, groupMembers, processesWith, signal } from '../host/processes.ts';
import type { JobFolder } from './job-folder.ts';

/** Without its shim a group is only ours when its members carry a job's environment. */
function isOurs(members: readonly number[]): boolean {
  return !existsSync('/proc/self/environ') || members.some((pid) => carriesJob(pid));
}

/** What a process of this name starts is the job; it passes no signal on itself. */
const bubblewrap = 'bwrap';

/** The job's first processes below one that the shim has started; none while bubblewrap is just beginning. */
function firstBelow(pid: number): readonly number[] {
  return commandOf(pid) === bubblewrap ? childrenOf(pid).flatMap(firstBelow) : [pid];
}

/**
 * Signals the job's first process alone, as Kubernetes and Batch do: passing it on is that process's affair. Returns how many it found;
 * none while its shim is just beginning.
 */
export function signalFirst(folder: JobFolder, name: NodeJS.Signals): number {
  const { started } = folder;
  if (!started || !folder.alive) return 0;
  const first = childrenOf(started.shim).flatMap(firstBelow);
  for (const pid of first) signal(pid, name);
  return first.length;
}

/** Kills the job and everything it started, in whatever group or session, but not the shim: it has an exit code to write. Returns how many it found. */
export function killJob(folder: JobFolder): number {
  const { started } = folder;
  if (!started) return 0;
  const group = groupMembers(started.shim).filter((pid) => pid !== started.shim);
  const members = group.length > 0 && !folder.alive && !isOurs(group) ? [] : group;
  const marked = processesWith(`EPSILON_PROGRESS_PATH=${resolve(folder.file('progress.jsonl'))}`);
  const all = new Set([...members, ...marked]);
  for (const pid of all) signal(pid, 'SIGKILL');
  return all.size;
}
