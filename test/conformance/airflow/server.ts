import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../free-port.ts';
import type { Installed } from './install.ts';

/** Processes of an Airflow: its API server, what schedules and runs tasks, what waits for deferred ones. */
export type Part = 'web' | 'scheduler' | 'triggerer';

/** A real Airflow with its API server on a loopback port. */
export interface Server {
  readonly home: string;
  readonly url: string;
  readonly api: 'v1' | 'v2';
  readonly username: string;
  readonly password: string;
  /** Kills a process with everything below it, or asks it to end (SIGTERM). */
  kill(part: Part, signal?: 'SIGKILL' | 'SIGTERM'): void;
  /** Begins it again; the API server on the same port. */
  start(part: Part): void;
  stop(): Promise<void>;
  /** The last lines of its logs. */
  log(): string;
}

/** Writes the DAG that Epsilon starts, whose pods are played. */
export function writeJobDags(folder: string): void {
  cpSync(join('infra', 'airflow', 'dags'), folder, { recursive: true });
  cpSync(join(import.meta.dirname, 'played_pods.py'), join(folder, 'played_pods.py'));
  // Regular expressions on 2.x, globs on 3.x; what fits neither way does no harm.
  const ignored = ['epsilon_tasks.py', 'played_pods.py', 'tenant_.*', 'data_.*', 'tenant_*.py', 'data_*.py'];
  writeFileSync(join(folder, '.airflowignore'), `${ignored.join('\n')}\n`);
  const stage = join(folder, 'epsilon_stage.py');
  writeFileSync(
    stage,
    readFileSync(stage, 'utf8').replace(
      'from epsilon_tasks import',
      'import played_pods  # noqa: F401\nfrom epsilon_tasks import',
    ),
  );
}

const username = 'epsilon';
const password = 'only-for-this-test';

/** How files of DAGs are read: settings of the scheduler on 2.x, of a process of its own on 3.x. */
const readingOf = (section: 'SCHEDULER' | 'DAG_PROCESSOR') => ({
  [`AIRFLOW__${section}__PARSING_PROCESSES`]: '1',
  [`AIRFLOW__${section}__MIN_FILE_PROCESS_INTERVAL`]: '600',
});

function environmentOf(home: string, port: number, python: string): NodeJS.ProcessEnv {
  const secret = 'a-secret-that-only-this-test-has-0123456789';
  writeFileSync(join(home, 'passwords.json'), JSON.stringify({ [username]: password }));
  return {
    ...process.env,
    // The executor of 2.x starts `airflow` by its name.
    PATH: `${dirname(python)}:${process.env['PATH'] ?? ''}`,
    AIRFLOW_HOME: home,
    AIRFLOW__CORE__DAGS_FOLDER: join(home, 'dags'),
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    AIRFLOW__API__AUTH_BACKENDS: 'airflow.api.auth.backend.basic_auth',
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS: `${username}:admin`,
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE: join(home, 'passwords.json'),
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `http://127.0.0.1:${port}/execution/`,
    AIRFLOW__API_AUTH__JWT_SECRET: secret,
    AIRFLOW__API__SECRET_KEY: secret,
    AIRFLOW__WEBSERVER__SECRET_KEY: secret,
    AIRFLOW__WEBSERVER__WORKERS: '1',
    AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC: '1',
    // Files are read once, by one process, and may take long: on a busy host a DAG that is not read in time counts as gone.
    AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT: '300',
    AIRFLOW__CORE__DAG_FILE_PROCESSOR_TIMEOUT: '300',
    AIRFLOW__CORE__PARALLELISM: '4',
    // Answers of the API server may take long, too: a task that gets none in time is lost.
    AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT: '60',
    AIRFLOW__WEBSERVER__WEB_SERVER_MASTER_TIMEOUT: '600',
    AIRFLOW__WEBSERVER__WEB_SERVER_WORKER_TIMEOUT: '600',
    ...readingOf('SCHEDULER'),
    ...readingOf('DAG_PROCESSOR'),
    AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT: '300',
    AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL: '600',
    AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL: '600',
    // How soon a task is missed whose scheduler was killed: 2.x, then 3.x.
    AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC: '2',
    AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD: '60',
    AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL: '5',
    AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC: '2',
    AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT: '60',
    AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL: '5',
    AIRFLOW_CONN_AWS_DEFAULT: 'aws://',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_DEFAULT_REGION: 'us-west-2',
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
  };
}

/** Processes that began under one, itself included; some have groups of their own. */
function treeOf(pid: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    rows.flatMap(([child = 0, of]) => (of === parent ? [child, ...below(child)] : []));
  return [pid, ...below(pid)];
}

/** Sends a signal to processes, some of which may have ended. */
function signalTo(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}

/** What of an Airflow is begun. */
export interface ServerOptions {
  readonly home: string;
  readonly writeDags: (folder: string) => void;
  /** Beside the API server. */
  readonly parts: readonly Exclude<Part, 'web'>[];
  readonly variables?: NodeJS.ProcessEnv;
}

/** Servers of this process that were not ended: where it is broken off, they end with it. */
const left = new Set<() => void>();
process.once('exit', () => {
  for (const end of left) end();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const isAlive = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

/** Makes the database, and on 2.x the user; gives what runs `airflow` with some arguments, to its end or without waiting. */
function prepare({ version, python }: Installed, home: string, env: NodeJS.ProcessEnv) {
  const run = (...args: string[]) =>
    execFileSync(python, ['-m', 'airflow', ...args], { env, stdio: 'ignore' });
  run('db', 'migrate');
  const person = ['--firstname', 'E', '--lastname', 'E', '--email', 'e@example.com'];
  if (version.startsWith('2.'))
    run('users', 'create', '-u', username, '-p', password, '-r', 'Admin', ...person);
  const logFile = join(home, 'servers.log');
  const log = openSync(logFile, 'a');
  const begin = (...args: string[]): ChildProcess =>
    // A group of its own, so that its workers end with it.
    spawn(python, ['-m', 'airflow', ...args], { env, detached: true, stdio: ['ignore', log, log] });
  return { run, begin, logFile };
}

/** Starts an Airflow in a folder: SQLite, one API server, and the parts that are named. */
export async function startServer(
  installed: Installed,
  { home, writeDags, parts, variables = {} }: ServerOptions,
): Promise<Server> {
  const api = installed.version.startsWith('2.') ? 'v1' : 'v2';
  const port = await freePort();
  mkdirSync(join(home, 'dags'), { recursive: true });
  writeDags(join(home, 'dags'));
  const env = { ...environmentOf(home, port, installed.python), ...variables };
  const { run, begin, logFile } = prepare(installed, home, env);
  const at = ['--port', String(port)];
  const commands: Readonly<Record<Part, readonly string[]>> = {
    web:
      api === 'v1'
        ? ['webserver', ...at, '--hostname', '127.0.0.1']
        : ['api-server', ...at, '--host', '127.0.0.1', '--workers', '1'],
    scheduler: ['scheduler'],
    triggerer: ['triggerer'],
  };
  const running = new Map<string, ChildProcess>();
  const start = (part: Part) => running.set(part, begin(...commands[part]));
  const killAll = () => {
    for (const { pid } of running.values()) if (pid !== undefined) signalTo(treeOf(pid), 'SIGKILL');
  };
  left.add(killAll);
  start('web');
  if (parts.length === 0) run('dags', 'reserialize');
  for (const part of parts) start(part);
  if (parts.length > 0 && api === 'v2') running.set('processor', begin('dag-processor'));
  /** The scheduler of 2.x has a process in another group, which only the scheduler itself ends. */
  async function endAll(): Promise<void> {
    const all = [...running.values()];
    const groups = all.flatMap(({ pid }) => (pid === undefined ? [] : [-pid]));
    signalTo(groups, 'SIGTERM');
    for (let tries = 0; tries < 20 && all.some(isAlive); tries += 1) await pause(500);
    killAll();
    signalTo(groups, 'SIGKILL');
    left.delete(killAll);
  }
  return {
    home,
    url: `http://127.0.0.1:${port}`,
    api,
    username,
    password,
    kill: (part, signal = 'SIGKILL') => {
      const pid = running.get(part)?.pid;
      if (pid !== undefined) signalTo(signal === 'SIGKILL' ? treeOf(pid) : [pid], signal);
    },
    start,
    stop: endAll,
    log: () =>
      readFileSync(logFile, 'utf8')
        .split('\n')
        .filter((line) => !/request finished|"(GET|POST|PATCH) \/api/.test(line))
        .slice(-40)
        .join('\n'),
  };
}
