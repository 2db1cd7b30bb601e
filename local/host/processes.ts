import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const hasProc = existsSync('/proc/self/stat');

/** Fields of /proc/<pid>/stat behind the bracketed name: [0] state, [1] parent, [2] group, [11] and [12] processor time, [19] start time. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Dead: a zombie, or one that is just being reaped. */
const isDead = ([state = '']: readonly string[]) => state.startsWith('Z') || state.startsWith('X');

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

/** Every process of this host, with the fields of `statOf` from /proc, or what `ps` says of them: parent in [1], group in [2]. */
function everyProcess(): (readonly [pid: number, fields: readonly string[]])[] {
  if (!hasProc) {
    const rows = spawnSync('ps', ['-axo', 'pid=,stat=,ppid=,pgid='], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    return rows.map((row) => {
      const [pid, ...fields] = row.trim().split(/\s+/);
      return [Number(pid), fields];
    });
  }
  return readdirSync('/proc').flatMap((name) => {
    const fields = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    return fields ? [[Number(name), fields] as const] : [];
  });
}

const numbered = (field: 1 | 2, value: number): number[] =>
  everyProcess().flatMap(([pid, fields]) =>
    Number(fields[field]) === value && !isDead(fields) ? [pid] : [],
  );

/** Name of the program that a process runs, of at most 15 characters; undefined where that cannot be seen. */
export function commandOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Children of a process that are alive. */
export function childrenOf(parent: number): number[] {
  return numbered(1, parent);
}

/** Processes whose environment has this variable with this value, `NAME=value`; none where that cannot be seen. */
export function processesWith(variable: string): number[] {
  if (!hasProc) return [];
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const has = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(variable);
      return has ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Members of a process group that are alive. */
export function groupMembers(group: number): number[] {
  return numbered(2, group);
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
