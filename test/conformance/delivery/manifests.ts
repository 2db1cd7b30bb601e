import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { objectsOf } from '../../kubernetes/manifests.ts';
import { withArgo } from '../kubernetes/build.ts';
import { goTool } from './go-tool.ts';
import { type Kustomized, kustomized } from './kustomize.ts';
import type { Check } from './rule-tests.ts';
import { writeSchemas } from './schemas.ts';

/** Has actionlint read the workflows. */
export function checkWorkflows(): Check {
  const actionlint = goTool('github.com/rhysd/actionlint/cmd/actionlint', 'v1.7.7');
  const files = globSync('.github/workflows/*.y*ml');
  const { status, stdout, stderr } = spawnSync(actionlint, ['-no-color', ...files], { encoding: 'utf8' });
  const name = `actionlint reads ${files.length} workflows`;
  return status === 0 && files.length > 2 ? { name } : { name, fault: `${stdout}${stderr}` };
}

interface Built extends Kustomized {
  readonly name: string;
}

/** An environment, or Argo CD, as it is built. */
const built = (folder: string, name = folder): Built => ({ name, ...kustomized(folder) });

/** Everything that is applied to a cluster: what kustomize builds of every environment, and single files. */
function everything(): Built[] {
  const folders = globSync([
    'infra/k8s/environments/*',
    'infra/k8s/serving/{production,staging}',
    'infra/argocd/applications/*',
  ]);
  const files = globSync(['infra/argocd/roots/*.yaml', 'infra/argocd/addons/sets/*.yml']);
  return [
    withArgo((folder) => built(folder, 'infra/argocd/addons/argo-cd')),
    ...folders.sort().map((folder) => built(folder)),
    ...files.sort().map((name) => ({ name, text: readFileSync(name, 'utf8') })),
  ];
}

/** What is ours in Argo CD as kustomize builds it: who signs in, by what, and what he may do. */
function checkSignIn({ text }: Built): Check {
  const name =
    "Argo CD as it is built takes GitHub's identity of a job at Dex, and gives two of them two rights each";
  const maps = objectsOf(text).filter(({ kind }) => kind === 'ConfigMap') as unknown as {
    readonly metadata: { readonly name: string; readonly namespace: string };
    readonly data?: Readonly<Record<string, string>>;
  }[];
  const of = (wanted: string) =>
    maps.find(({ metadata }) => metadata.name === wanted && metadata.namespace === 'argocd')?.data ?? {};
  const [settings, rights] = [of('argocd-cm'), of('argocd-rbac-cm')];
  const { connectors = [] } = parse(settings['dex.config'] ?? '{}') as { connectors?: { config: object }[] };
  const lines = (rights['policy.csv'] ?? '').split('\n').filter(Boolean);
  const seen = { url: settings['url'], connectors, unknown: rights['policy.default'], lines };
  const well =
    /^https:/.test(settings['url'] ?? '') &&
    connectors.length === 1 &&
    JSON.stringify(connectors).includes('"issuer":"https://token.actions.githubusercontent.com"') &&
    rights['policy.default'] === '' &&
    lines.length === 4 &&
    lines.every((line) =>
      /^p, repo:\S+:environment:(staging|prod), applications, (get|sync), embeddings-saas\/embeddings-saas-(staging|production), allow$/.test(
        line,
      ),
    );
  return well ? { name } : { name, fault: JSON.stringify(seen) };
}

/** Has kubectl build every environment, and kubeconform hold every object to the published schemas. */
export function checkManifests(): Check[] {
  const all = everything();
  const kinds = new Set(all.flatMap(({ text }) => objectsOf(text).map(({ kind }) => kind ?? '')));
  const schemas = writeSchemas(kinds);
  const kubeconform = goTool('github.com/yannh/kubeconform/cmd/kubeconform', 'v0.8.0');
  const location = join(schemas, '{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json');
  const [argo = { name: '', text: '' }] = all;
  const fits = all.map(({ name, text, fault }): Check => {
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
  return [...fits, checkSignIn(argo)];
}
