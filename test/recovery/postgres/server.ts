import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demand, folderFor, program, run, runsAs } from './place.ts';

/** Where a cluster is: its data and the folder of its socket. */
export interface Cluster {
  readonly data: string;
  readonly socket: string;
}

/** A cluster that runs. */
export interface Server extends Cluster {
  /** Kills it with all its processes, without warning. */
  kill(): Promise<void>;
}

/** Children of a process that are alive. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** Makes a cluster with checksums on its pages; settings are lines of postgresql.conf. */
export function initCluster({ data, socket }: Cluster, settings: readonly string[]): void {
  folderFor(socket);
  demand(program('initdb'), ['-D', data, '-U', 'postgres', '-k', '-A', 'trust', '--no-locale', '-E', 'UTF8']);
  appendFileSync(join(data, 'postgresql.conf'), `${["listen_addresses = ''", ...settings].join('\n')}\n`);
}

/** Arguments of psql for the rows of an answer and nothing else. */
const asking = (socket: string) => ['-X', '-q', '-A', '-t', '-h', socket, '-U', 'postgres', '-d', 'postgres'];

/** Asks the server; the lines of the answer. */
export function ask({ socket }: Pick<Cluster, 'socket'>, sql: string): string[] {
  return demand(program('psql'), [...asking(socket), '-v', 'ON_ERROR_STOP=1'], sql)
    .split('\n')
    .filter((line) => line !== '');
}

/** Starts a cluster and waits until it answers; throws with its log when it does not. */
export async function startServer({ data, socket }: Cluster, seconds = 120): Promise<Server> {
  folderFor(socket);
  const said: string[] = [];
  const args = ['-D', data, '-c', `unix_socket_directories=${socket}`];
  const child: ChildProcess = spawn(program('postgres'), args, {
    ...runsAs,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
  });
  child.stderr?.on('data', (part) => said.push(String(part)));
  let gone = false;
  const ended = once(child, 'exit').then(() => {
    gone = true;
  });
  const kill = async () => {
    const own = child.pid ?? -1;
    const children = gone ? [] : childrenOf(own);
    for (const pid of [own, ...children]) if (!gone || pid !== own) end(pid);
    await ended;
  };
  for (let tries = 0; tries < seconds * 20; tries += 1) {
    // Not only accepting connections: out of recovery.
    const args = [...asking(socket), '-c', 'SELECT pg_is_in_recovery()'];
    if (!gone && run(program('psql'), args).out.trim() === 'f') return { data, socket, kill };
    if (gone) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await kill();
  throw new Error(`PostgreSQL did not come up: ${said.join('').slice(-1_500)}`);
}
