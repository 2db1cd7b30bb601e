import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../free-port.ts';
import type { Installed } from './install.ts';

/** A real Airflow with its API server on a loopback port. */
export interface Server {
  readonly url: string;
  readonly api: 'v1' | 'v2';
  readonly username: string;
  readonly password: string;
  /** Ends the API server alone. */
  stopServer(): void;
  /** Begins it again, on the same port. */
  startAgain(): void;
  /** Kills what schedules and runs tasks, with the tasks that run. */
  killScheduler(): void;
  startScheduler(): void;
  stop(): Promise<void>;
  /** The last lines of its logs. */
  log(): string;
}

/** The DAG that Epsilon starts, whose pods are played. */
function writeDags(folder: string): void {
  cpSync(join('infra', 'airflow', 'dags'), folder, { recursive: true });
  cpSync(join(import.meta.dirname, 'played_pods.py'), join(folder, 'played_pods.py'));
  writeFileSync(join(folder, '.airflowignore'), 'epsilon_tasks.py\nplayed_pods.py\ntenant_.*\ndata_.*\n');
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
    // How soon a task is missed whose scheduler was killed: 2.x, then 3.x.
    AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC: '2',
    AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD: '15',
    AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL: '5',
    AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC: '2',
    AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT: '15',
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

function killTree({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  for (const one of treeOf(pid)) {
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** Starts an Airflow in a folder: SQLite, one API server, and where `tasks` are to run what runs them. */
export async function startServer(
  { version, python }: Installed,
  {
    home,
    tasks,
    variables = {},
  }: { readonly home: string; readonly tasks: boolean; readonly variables?: NodeJS.ProcessEnv },
): Promise<Server> {
  const api = version.startsWith('2.') ? 'v1' : 'v2';
  const port = await freePort();
  mkdirSync(join(home, 'dags'), { recursive: true });
  writeDags(join(home, 'dags'));
  const env = { ...environmentOf(home, port, python), ...variables };
  const airflow = (...args: string[]) =>
    execFileSync(python, ['-m', 'airflow', ...args], { env, stdio: 'ignore' });
  airflow('db', 'migrate');
  const person = ['--firstname', 'E', '--lastname', 'E', '--email', 'e@example.com'];
  if (api === 'v1') airflow('users', 'create', '-u', username, '-p', password, '-r', 'Admin', ...person);
  const logFile = join(home, 'servers.log');
  const log = openSync(logFile, 'a');
  const begin = (...args: string[]): ChildProcess =>
    // A group of its own, so that its workers end with it.
    spawn(python, ['-m', 'airflow', ...args], { env, detached: true, stdio: ['ignore', log, log] });
  const beginWeb = () =>
    api === 'v1'
      ? begin('webserver', '--port', String(port), '--hostname', '127.0.0.1')
      : begin('api-server', '--port', String(port), '--host', '127.0.0.1', '--workers', '1');
  let web = beginWeb();
  if (!tasks) airflow('dags', 'reserialize');
  let scheduler = tasks ? begin('scheduler') : undefined;
  const processor = tasks && api === 'v2' ? begin('dag-processor') : undefined;
  const end = ({ pid }: ChildProcess, signal: NodeJS.Signals = 'SIGKILL') => {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // It has ended.
    }
  };
  /** The scheduler of 2.x has a process in another group, which only the scheduler itself ends. */
  async function endAll(): Promise<void> {
    const all = [web, scheduler, processor].filter((one) => one !== undefined);
    for (const one of all) end(one, 'SIGTERM');
    for (
      let tries = 0;
      tries < 20 && all.some((one) => one.exitCode === null && one.signalCode === null);
      tries += 1
    )
      await pause(500);
    for (const one of all) end(one);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    api,
    username,
    password,
    stopServer: () => end(web),
    startAgain: () => {
      web = beginWeb();
    },
    killScheduler: () => {
      if (scheduler) killTree(scheduler);
    },
    startScheduler: () => {
      scheduler = begin('scheduler');
    },
    stop: endAll,
    log: () => readFileSync(logFile, 'utf8').split('\n').slice(-40).join('\n'),
  };
}
