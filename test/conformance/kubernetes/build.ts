import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { works } from '../debian.ts';

const cache = resolve('node_modules/.cache/epsilon-kube');
const source = join(import.meta.dirname, 'server');

/** Module that carries the definitions of ServiceMonitor and PrometheusRule. */
const operator = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';

/** Where the program is built to: another file whenever its source or a version changes. */
export function programPath(): string {
  const hash = createHash('sha256');
  for (const name of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(source, name)));
  return join(cache, `kube-${hash.digest('hex').slice(0, 12)}`);
}

/** Builds API server, controllers, scheduler and kubectl into one program, once; ten minutes of two cores. */
export function build(): string | undefined {
  const kube = programPath();
  if (existsSync(kube)) return undefined;
  if (!works('go', 'version')) return 'go is not installed';
  mkdirSync(cache, { recursive: true });
  for (const old of readdirSync(cache).filter((name) => name.startsWith('kube'))) rmSync(join(cache, old));
  process.stdout.write('building the servers of Kubernetes, once ...\n');
  const built = spawnSync('go', ['build', '-ldflags', '-s -w', '-o', kube, '.'], {
    cwd: source,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return built.status === 0 ? undefined : 'the servers could not be built';
}

/** Folder of a module, from the Go module proxy, checked against Go's checksum database; some need a newer toolchain. */
export function moduleFolder(module: string, toolchain?: string): string {
  const told = spawnSync('go', ['mod', 'download', '-json', module], {
    encoding: 'utf8',
    cwd: source,
    env: { ...process.env, ...(toolchain !== undefined && { GOTOOLCHAIN: toolchain }) },
  });
  const { Dir: folder, Error: error } = JSON.parse(told.stdout || '{}') as { Dir?: string; Error?: string };
  if (folder === undefined) throw new Error(`${module}: ${error ?? told.stderr}`);
  return folder;
}

/** Has `work` look at a folder as bootstrap.sh makes it: kustomize's input for Argo CD, with its manifest. */
export function withArgo<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-argo-'));
  try {
    cpSync('infra/argocd/addons/argo-cd', folder, { recursive: true });
    cpSync(argoManifest(), join(folder, 'install.yaml'));
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Argo CD's manifest of the version that infra/argocd installs, as its Go module has it. */
function argoManifest(): string {
  const url = readFileSync('infra/argocd/addons/argo-cd/install.url', 'utf8').trim();
  const [, version, path] = /argo-cd\/(v\d+\.\d+\.\d+)\/(manifests\/\S+)$/.exec(url) ?? [];
  if (version === undefined || path === undefined) throw new Error(`${url} names no version`);
  return join(moduleFolder(`github.com/argoproj/argo-cd/${version.split('.')[0]}@${version}`), path);
}

/** Files that define the kinds which kube-prometheus-stack brings and infra/k8s uses; from the Go module proxy. */
export function monitoringDefinitions(): string[] {
  const folder = moduleFolder(operator);
  return ['servicemonitors', 'prometheusrules'].map((kind) =>
    join(folder, 'example/prometheus-operator-crd', `monitoring.coreos.com_${kind}.yaml`),
  );
}
