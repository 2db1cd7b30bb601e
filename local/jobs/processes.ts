import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const hasProc = existsSync('/proc/self/stat');

/** Fields of /proc/<pid>/stat behind the bracketed name: [0] state, [2] group, [11] and [12] processor time, [19] start time. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Dead: a zombie, or one that is just being reaped. */
const isDead = ([state]: readonly string[]) => state === 'Z' || state === 'X';

/** What distinguishes a process from a later one with the same pid: its start time, or undefined when it is gone or a zombie. */
export function processStartTime(pid: number): string | undefined {
  if (hasProc) {
    const fields = statOf(pid);
    return fields && !isDead(fields) ? fields[19] : undefined;
  }
  const shown = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
  }).stdout.trim();
  const [state = '', ...start] = shown.split(/\s+/);
  return shown === '' || state.startsWith('Z') ? undefined : start.join(' ');
}

/** Milliseconds of processor time a process has used; undefined where that cannot be measured. */
export function processorMs(pid: number): number | undefined {
  const fields = statOf(pid);
  // In ticks, of which the kernel shows 100 a second (proc_pid_stat(5)).
  return fields && (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Whether exactly this process is alive. */
export function isAlive(pid: number, start: string): boolean {
  const now = processStartTime(pid);
  return now !== undefined && now.replace(/\s+/g, ' ').trim() === start.replace(/\s+/g, ' ').trim();
}

/** Members of a process group that are alive. */
export function groupMembers(group: number): number[] {
  if (!hasProc) {
    const rows = spawnSync('ps', ['-axo', 'pid=,pgid='], { encoding: 'utf8' }).stdout.trim().split('\n');
    return rows.flatMap((row) => {
      const [pid, of] = row.trim().split(/\s+/).map(Number);
      return of === group && pid !== undefined ? [pid] : [];
    });
  }
  return readdirSync('/proc').flatMap((name) => {
    const fields = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    return fields && Number(fields[2]) === group && !isDead(fields) ? [Number(name)] : [];
  });
}

/** Sends a signal; false when there is no such process. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
