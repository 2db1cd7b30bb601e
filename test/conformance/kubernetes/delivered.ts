import { globSync } from 'node:fs';
import { join } from 'node:path';
import { definitionFiles, newerGo, schemaModules } from '../delivery/schemas.ts';
import { type Check, succeeds } from './apply.ts';
import { moduleFolder } from './build.ts';
import type { Kubectl } from './control-plane.ts';

/** Applies the definitions of Argo Rollouts' kinds and of external-secrets'; those of Argo CD come with its manifest. */
function applyDeliveryDefinitions(kubectl: Kubectl): Check[] {
  const folders = {
    'Argo Rollouts': join(moduleFolder(schemaModules.rollouts, newerGo), 'manifests/crds'),
    'external-secrets': join(moduleFolder(schemaModules.externalSecrets), 'config/crds/bases'),
  };
  return Object.entries(folders).map(([name, folder]) =>
    succeeds(
      kubectl,
      `definitions of ${name}`,
      'apply',
      '--server-side',
      ...definitionFiles(folder).flatMap((file) => ['-f', file]),
    ),
  );
}

/** Kubernetes makes this account in every namespace, so that it is no client's yet; applied, it becomes one's. */
const ofTheDefaultAccount =
  /^Warning: resource serviceaccounts\/default is missing the kubectl\.kubernetes\.io\/last-applied-configuration annotation.*$/gm;

/** As `succeeds`, but for what kubectl says of an account that Kubernetes has made. */
function accepted(kubectl: Kubectl, name: string, ...args: readonly string[]): Check {
  const said: Kubectl = (...words) => {
    const { status, text } = kubectl(...words);
    return { status, text: text.replaceAll(ofTheDefaultAccount, '') };
  };
  return succeeds(said, name, ...args);
}

/** A tree as kubectl is told of it. */
type Tree = readonly ['-k' | '-f', string];

/**
 * Asks the server whether it would take a tree, applies it client-side as Argo CD does, and asks what is different then: what the server
 * adds by itself would keep an application out of sync.
 */
function taken(kubectl: Kubectl, tree: Tree): Check[] {
  const name = tree[1].replace(/^infra\//, '');
  const asked = accepted(
    kubectl,
    `${name}: a dry run by the server`,
    'apply',
    '--dry-run=server',
    '--validate=strict',
    ...tree,
  );
  if (asked.fault !== undefined) return [asked];
  const apply = () => accepted(kubectl, `${name} is applied`, 'apply', '--validate=strict', ...tree);
  const first = apply();
  // A quota that has just been made has not counted yet, and refuses what it limits.
  const applied = first.fault === undefined ? first : apply();
  return [asked, applied, succeeds(kubectl, `${name}, applied again, changes nothing`, 'diff', ...tree)];
}

/** Everything that Argo CD is given, and what it applies for a release, tree by tree. */
export function applyDelivered(kubectl: Kubectl): Check[] {
  const serving = globSync('infra/k8s/serving/{production,staging}').sort();
  const trees: Tree[] = [
    ...serving.map((folder): Tree => ['-k', folder]),
    ...globSync('infra/argocd/applications/*')
      .sort()
      .map((folder): Tree => ['-k', folder]),
    ...globSync(['infra/argocd/roots/*.yaml', 'infra/argocd/addons/sets/*.yml'])
      .sort()
      .map((file): Tree => ['-f', file]),
  ];
  return [
    ...applyDeliveryDefinitions(kubectl),
    // A dry run makes no namespace, and nothing is taken into one that is not there.
    ...serving.map((folder) =>
      succeeds(kubectl, `${folder}: its namespace`, 'apply', '-f', join(folder, 'namespace.yaml')),
    ),
    ...trees.flatMap((tree) => taken(kubectl, tree)),
    keepsColour(kubectl),
  ];
}

/** The controller of Rollouts puts the colour into the selectors of Services; the next sync of Argo CD must not take it out. */
function keepsColour(kubectl: Kubectl): Check {
  const name = 'a release, applied as Argo CD does, leaves the live colour in the selectors of Services';
  const service = ['service', 'backend-api', '-n', 'production'] as const;
  const patch = JSON.stringify({ spec: { selector: { 'rollouts-pod-template-hash': 'live' } } });
  kubectl('patch', ...service, '--type=merge', '-p', patch);
  kubectl('apply', '-k', 'infra/k8s/serving/production');
  const { text } = kubectl('get', ...service, '-o', 'jsonpath={.spec.selector}');
  return text.includes('"rollouts-pod-template-hash":"live"') ? { name } : { name, fault: text };
}
