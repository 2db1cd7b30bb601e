import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { environments, objectsOf } from '../../kubernetes/manifests.ts';
import { conclude, installPackage, works } from '../debian.ts';
import { applyArgo, applyDefinitions, applyOverlay, type Check, overlay, succeeds } from './apply.ts';
import { build, programPath } from './build.ts';
import { ControlPlane } from './control-plane.ts';
import { applyDelivered } from './delivered.ts';
import { publishedSchema } from './published-schema.ts';

/**
 * `npm run test:conformance:kubernetes`: runner, watcher and manifests against the real kube-apiserver,
 * kube-controller-manager, kube-scheduler and kubectl of the cluster's version, built from the Go module k8s.io/kubernetes,
 * over Debian's etcd. The manifests are applied as kustomize builds them, those of serving as Argo CD does. With `--record` it writes what the
 * server publishes of the kinds used here into test/kubernetes/schema; with `--manifests` it runs no tests.
 */
const recorded = resolve('test/kubernetes/schema/kubernetes-1.35.jsonl');

const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-1', labels: { workload: 'training', 'epsilon/capacity': 'spot' } },
  spec: { providerID: 'aws:///us-west-2a/i-0123456789abcdef0' },
};

/** Applies the built manifests of every environment, and asks whether the server then has exactly that. */
function applyManifests({ kubectl }: ControlPlane): Check[] {
  return [
    ...applyDefinitions(kubectl),
    ...applyArgo(kubectl),
    ...applyDelivered(kubectl),
    ...environments.flatMap((environment) => {
      const { text } = kubectl('kustomize', overlay(environment));
      const name = `${environment} is built`;
      return [
        objectsOf(text).length > 20 ? { name } : { name, fault: text },
        applyOverlay(kubectl, environment),
        succeeds(
          kubectl,
          `${environment}, applied again, changes nothing`,
          'diff',
          '--server-side',
          '-k',
          overlay(environment),
        ),
      ];
    }),
  ];
}

async function addNode(plane: ControlPlane): Promise<void> {
  const transport = plane.transport('admin');
  await transport.send({
    method: 'POST',
    path: '/api/v1/nodes',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(node),
  });
}

async function compareSchema(plane: ControlPlane): Promise<Check> {
  const name = 'the recorded schema is the published one';
  const published = await publishedSchema(plane.transport('admin'));
  if (process.argv.includes('--record')) writeFileSync(recorded, published);
  return published === readFileSync(recorded, 'utf8')
    ? { name }
    : { name, fault: 'it is not; record it (--record)' };
}

function runTests(plane: ControlPlane): Check {
  const own = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const tests = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/conformance/kubernetes/vitest.config.ts',
      ...own,
    ],
    { stdio: 'inherit', env: { ...process.env, ...plane.environment } },
  );
  return { name: 'tests', ...(tests.status === 0 ? {} : { fault: 'tests failed, see above' }) };
}

const missing = installPackage('etcd-server', () => works('etcd', '--version')) ?? build();
if (missing !== undefined) conclude(0, [], missing);
else {
  const plane = await ControlPlane.start(programPath());
  try {
    const checks = applyManifests(plane);
    await addNode(plane);
    checks.push(await compareSchema(plane));
    if (!process.argv.includes('--manifests')) checks.push(runTests(plane));
    for (const { name, fault } of checks)
      process.stdout.write(`${fault === undefined ? 'ok' : 'FAULT'} ${name}\n`);
    conclude(
      checks.length,
      checks.flatMap(({ name, fault }) => (fault === undefined ? [] : [`${name}: ${fault}`])),
    );
  } finally {
    await plane.close();
  }
}
