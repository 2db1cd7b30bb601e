import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathOf, readManifests } from '../../kubernetes/manifests.ts';
import { conclude, installPackage, works } from '../debian.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { publishedSchema } from './published-schema.ts';

/**
 * `npm run test:conformance:kubernetes`: runner, watcher and manifests against a real kube-apiserver and
 * kube-controller-manager of the cluster's version, built from the Go module k8s.io/kubernetes, over Debian's etcd.
 * With `--record` it writes what the server publishes of the kinds used here into test/kubernetes/schema.
 */
const cache = resolve('node_modules/.cache/epsilon-kube');
const kube = join(cache, 'kube');
const recorded = resolve('test/kubernetes/schema/kubernetes-1.35.jsonl');

/** Builds the servers once; ten minutes of two cores. */
function build(): string | undefined {
  if (existsSync(kube)) return undefined;
  if (!works('go', 'version')) return 'go is not installed';
  mkdirSync(cache, { recursive: true });
  process.stdout.write('building kube-apiserver and kube-controller-manager, once ...\n');
  const built = spawnSync('go', ['build', '-ldflags', '-s -w', '-o', kube, '.'], {
    cwd: join(import.meta.dirname, 'server'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return built.status === 0 ? undefined : 'the servers could not be built';
}

async function applyManifests(plane: ControlPlane): Promise<string[]> {
  const transport = plane.transport('admin');
  const faults: string[] = [];
  for (const { file, object } of readManifests()) {
    const { status, body, headers } = await transport.send({
      method: 'PATCH',
      path: `${pathOf(object)}?fieldManager=conformance&fieldValidation=Strict&force=true`,
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify(object),
    });
    if (status > 201 || headers['warning']) faults.push(`${file}: ${status} ${headers['warning'] ?? body}`);
  }
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1', labels: { workload: 'training', 'epsilon/capacity': 'spot' } },
    spec: { providerID: 'aws:///us-west-2a/i-0123456789abcdef0' },
  };
  await transport.send({
    method: 'POST',
    path: '/api/v1/nodes',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(node),
  });
  transport.close();
  return faults;
}

async function schemaDiffers(plane: ControlPlane): Promise<string[]> {
  const transport = plane.transport('admin');
  const published = await publishedSchema(transport);
  transport.close();
  if (process.argv.includes('--record')) writeFileSync(recorded, published);
  return published === readFileSync(recorded, 'utf8')
    ? []
    : ['the recorded schema is not the published one (--record)'];
}

const missing = installPackage('etcd-server', () => works('etcd', '--version')) ?? build();
if (missing !== undefined) conclude(0, [], missing);
else {
  const plane = await startControlPlane(kube);
  try {
    const faults = [...(await applyManifests(plane)), ...(await schemaDiffers(plane))];
    const tests = spawnSync(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/conformance/kubernetes/vitest.config.ts'],
      { stdio: 'inherit', env: { ...process.env, ...plane.environment } },
    );
    if (tests.status !== 0) faults.push('tests failed, see above');
    conclude(readManifests().length + 2, faults);
  } finally {
    await plane.close();
  }
}
