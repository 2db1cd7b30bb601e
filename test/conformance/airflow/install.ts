import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Versions of Apache Airflow that are supported, which means tested here. */
export const versions = ['2.11.0', '3.3.2'] as const;

const providers = [
  'apache-airflow-providers-cncf-kubernetes',
  'apache-airflow-providers-amazon[aiobotocore]',
  'apache-airflow-providers-standard',
  'apache-airflow-providers-common-compat',
];

const cache = resolve('node_modules/.cache/airflow');

/** One installed Airflow. */
export interface Installed {
  readonly version: string;
  /** Path of its Python. */
  readonly python: string;
  /** What was resolved: `name==version` lines. */
  readonly packages: readonly string[];
}

/** The installer: much faster than pip, which installs it. */
function installer(): string {
  const folder = join(cache, 'uv');
  const uv = join(folder, 'bin', 'uv');
  if (existsSync(uv)) return uv;
  execFileSync('python3', ['-m', 'venv', folder]);
  execFileSync(join(folder, 'bin', 'pip'), ['install', '--quiet', 'uv'], { stdio: 'inherit' });
  return uv;
}

/** Builds the wheel of Epsilon's own provider, as a user does, and installs it. */
export function installProvider({ python }: Installed): void {
  const uv = installer();
  const wheels = join(cache, 'wheels');
  rmSync(wheels, { recursive: true, force: true });
  const source = join('infra', 'airflow', 'provider');
  execFileSync(uv, ['build', '--quiet', '--wheel', '--out-dir', wheels, source], { stdio: 'inherit' });
  const built = readdirSync(wheels).filter((file) => file.endsWith('.whl'));
  execFileSync(
    uv,
    [
      ...['pip', 'install', '--quiet', '--python', python, '--no-deps', '--force-reinstall'],
      ...built.map((file) => join(wheels, file)),
    ],
    { stdio: 'inherit' },
  );
}

/** Installs a version with the providers into an environment of its own, once; what is there is used again. */
export function installAirflow(version: string): Installed {
  const python = join(cache, version, 'bin', 'python');
  const frozen = join(cache, `${version}.txt`);
  if (!existsSync(frozen)) {
    mkdirSync(cache, { recursive: true });
    const uv = installer();
    execFileSync(uv, ['venv', '--quiet', '--clear', '--python', 'python3', join(cache, version)]);
    execFileSync(
      uv,
      ['pip', 'install', '--quiet', '--python', python, `apache-airflow==${version}`, ...providers],
      { stdio: 'inherit' },
    );
    // Last: an installation that was broken off is made again.
    writeFileSync(frozen, execFileSync(uv, ['pip', 'freeze', '--python', python], { encoding: 'utf8' }));
  }
  return { version, python, packages: readFileSync(frozen, 'utf8').trim().split('\n') };
}
