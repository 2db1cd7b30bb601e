import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { objectsOf } from '../../kubernetes/manifests.ts';
import type { Check } from './rule-tests.ts';
import { writeSchemas } from './schemas.ts';

const tools = resolve('node_modules/.cache/epsilon-go');

/** Has actionlint read the workflows. */
export function checkWorkflows(): Check {
  const actionlint = goTool('github.com/rhysd/actionlint/cmd/actionlint', 'v1.7.7');
  const files = globSync('.github/workflows/*.y*ml');
  const { status, stdout, stderr } = spawnSync(actionlint, ['-no-color', ...files], { encoding: 'utf8' });
  const name = `actionlint reads ${files.length} workflows`;
  return status === 0 && files.length > 2 ? { name } : { name, fault: `${stdout}${stderr}` };
}

/** Installs a program from the Go module proxy, once. Returns its path. */
export function goTool(module: string, version: string): string {
  const folder = join(tools, version);
  const path = join(folder, module.split('/').at(-1) ?? module);
  mkdirSync(folder, { recursive: true });
  if (spawnSync(path, ['-v']).status !== null) return path;
  const made = spawnSync('go', ['install', `${module}@${version}`], {
    encoding: 'utf8',
    env: { ...process.env, GOBIN: folder },
  });
  if (made.status !== 0) throw new Error(made.stderr);
  return path;
}

interface Built {
  readonly name: string;
  readonly text: string;
  readonly fault?: string;
}

function kustomized(folder: string): Built {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  return { name: folder, text: stdout, ...(status === 0 && stderr === '' ? {} : { fault: stderr }) };
}

/** Everything that is applied to a cluster: what kustomize builds of every environment, and single files. */
function everything(): Built[] {
  const folders = globSync([
    'infra/k8s/environments/*',
    'infra/k8s/serving/{production,staging}',
    'infra/argocd/applications/*',
  ]);
  const files = globSync(['infra/argocd/roots/*.yaml', 'infra/argocd/addons/sets/*.yml']);
  return [
    ...folders.sort().map(kustomized),
    ...files.sort().map((name) => ({ name, text: readFileSync(name, 'utf8') })),
  ];
}

/** Has kubectl build every environment, and kubeconform hold every object to the published schemas. */
export function checkManifests(): Check[] {
  const built = everything();
  const kinds = new Set(built.flatMap(({ text }) => objectsOf(text).map(({ kind }) => kind ?? '')));
  const schemas = writeSchemas(kinds);
  const kubeconform = goTool('github.com/yannh/kubeconform/cmd/kubeconform', 'v0.8.0');
  const location = join(schemas, '{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json');
  return built.map(({ name, text, fault }): Check => {
    if (fault !== undefined) return { name: `${name} is built`, fault };
    const { status, stdout, stderr } = spawnSync(
      kubeconform,
      ['-strict', '-summary', '-output', 'json', '-schema-location', location],
      { input: text, encoding: 'utf8' },
    );
    const { summary } = JSON.parse(stdout || '{}') as { summary?: { valid: number; skipped: number } };
    const count = objectsOf(text).length;
    const well = status === 0 && count > 0 && summary?.valid === count;
    const line = `${name}: ${count} objects fit the schemas of their kinds`;
    return well ? { name: line } : { name: line, fault: `${stdout}${stderr}`.slice(0, 2_000) };
  });
}
