import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../free-port.ts';

/** One implementation of DynamoDB that is not ours. */
export interface Emulator {
  readonly name: string;
  /** What pip installs. */
  readonly packages: readonly string[];
  readonly start: (port: number) => {
    readonly file: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
  /** Whether it has KMS too. */
  readonly kms: boolean;
}

/** The emulators, from PyPI; each is installed into a virtual environment of its own that is thrown away with the folder. */
export const emulators: readonly Emulator[] = [
  {
    name: 'MiniStack',
    packages: ['ministack'],
    start: (port) => ({
      file: 'ministack',
      args: [],
      env: {
        BIND_HOST: '127.0.0.1',
        GATEWAY_PORT: String(port),
        SERVICES: 'dynamodb,kms',
        MINISTACK_REGION: 'us-west-2',
        LOG_LEVEL: 'WARNING',
      },
    }),
    kms: true,
  },
  {
    name: 'moto',
    packages: ['moto[server,dynamodb,kms]'],
    // One request at a time: its own threaded server evaluates a condition and writes in two steps that others can come between.
    start: (port) => ({
      file: 'python',
      args: [
        '-c',
        [
          'from moto.server import DomainDispatcherApplication, create_backend_app',
          'from werkzeug.serving import run_simple',
          `run_simple("127.0.0.1", ${port}, DomainDispatcherApplication(create_backend_app), threaded=False)`,
        ].join('; '),
      ],
      env: {},
    }),
    kms: true,
  },
];

async function answers(endpoint: string, seconds: number): Promise<boolean> {
  for (let tries = 0; tries < seconds * 4; tries += 1) {
    try {
      await fetch(endpoint);
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  return false;
}

/** A running emulator. */
export interface Running {
  readonly endpoint: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** Installs and starts an emulator; throws a sentence when that cannot be done here. */
export async function startEmulator({ name, packages, start }: Emulator): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-dynamodb-'));
  const python = (...args: string[]) =>
    execFileSync(join(folder, 'bin', 'python'), args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  try {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'ignore' });
    python('-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages);
  } catch (error) {
    throw new Error(`${name} could not be installed: ${(error as Error).message.split('\n')[0]}`);
  }
  const port = await freePort();
  const { file, args, env } = start(port);
  const server = spawn(join(folder, 'bin', file), args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
    stdio: 'ignore',
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
  };
  if (!(await answers(endpoint, 60))) {
    await stop();
    throw new Error(`${name} does not answer`);
  }
  const [distribution = ''] = packages[0]?.split('[') ?? [];
  const version = python('-c', `import importlib.metadata as m; print(m.version("${distribution}"))`).trim();
  return { endpoint, version, stop };
}
