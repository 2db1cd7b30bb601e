import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, globSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** The emulator and its version; another one knows other resource types and has other faults. */
const emulator = 'ministack==1.5.33';

/** Milliseconds it may take to answer. */
const patience = 60_000;

/** The emulator keeps the layers of images, but names AWS's own host for them, which is not reached from here: its own is named. */
function serveLayers(venv: string): void {
  const host = 'https://{get_account_id()}.dkr.ecr.{get_region()}.amazonaws.com/v2/{name}/blobs';
  const [file = ''] = globSync(join(venv, 'lib/python3*/site-packages/ministack/services/ecr.py'));
  const text = readFileSync(file, 'utf8');
  if (!text.includes(host)) throw new Error(`${emulator} names layers in another way: look at ${file}.`);
  writeFileSync(file, text.replace(host, "http://127.0.0.1:{os.environ['GATEWAY_PORT']}/v2/{name}/blobs"));
}

/** Installs the emulator into a throw-away environment below a folder; gives its command. */
export function installEmulator(folder: string): string {
  const venv = join(folder, 'venv');
  execFileSync('python3', ['-m', 'venv', venv]);
  execFileSync(join(venv, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', emulator], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  serveLayers(venv);
  return join(venv, 'bin', 'ministack');
}

/** A running emulator. */
export interface Emulator {
  readonly endpoint: string;
  /** What it wrote, for the one who looks for a fault. */
  log(): string;
  stop(): Promise<void>;
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (
      (await fetch(`${endpoint}/_ministack/health`, { signal: AbortSignal.timeout(2_000) })).status < 500
    );
  } catch {
    return false;
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  // Handlers are its children: the whole group goes.
  process.kill(-child.pid, 'SIGTERM');
  const hard = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 5_000);
  await gone;
  clearTimeout(hard);
}

/** Starts the emulator on a port of this machine; handlers run as its child processes, on the Node that runs this. */
export async function startEmulator(
  command: string,
  folder: string,
  options: {
    readonly port: number;
    readonly region: string;
    readonly variables: Readonly<Record<string, string>>;
  },
): Promise<Emulator> {
  const { port, region, variables } = options;
  const logFile = join(folder, 'emulator.log');
  const output = openSync(logFile, 'a');
  const child = spawn(command, [], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
      HOME: folder,
      TMPDIR: folder,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      MINISTACK_REGION: region,
      LAMBDA_EXECUTOR: 'local',
      ...variables,
    },
  });
  closeSync(output);
  let unstartable: Error | undefined;
  child.once('error', (error) => {
    unstartable = error;
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const end = performance.now() + patience;
  while (!(await answers(endpoint))) {
    if (unstartable) throw unstartable;
    if (child.exitCode !== null || performance.now() > end) {
      await stopped(child);
      throw new Error(`the emulator did not start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return { endpoint, log: () => readFileSync(logFile, 'utf8'), stop: () => stopped(child) };
}
