import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitoringDefinitions, withArgo } from './build.ts';
import type { Kubectl } from './control-plane.ts';

/** One check: what it is, and what is wrong; nothing when it passed. */
export interface Check {
  readonly name: string;
  readonly fault?: string;
}

/** Where kustomize begins for an environment. */
export const overlay = (environment: string) => `infra/k8s/environments/${environment}`;

/** Runs kubectl; what it said is the fault when it failed or warned (of PodSecurity, of unknown or deprecated fields). */
export function succeeds(kubectl: Kubectl, name: string, ...args: readonly string[]): Check {
  const { status, text } = kubectl(...args);
  return status === 0 && !/warning/i.test(text) ? { name } : { name, fault: text };
}

/** Applies the definitions of the kinds that kube-prometheus-stack brings. */
export function applyDefinitions(kubectl: Kubectl): Check[] {
  return [
    ...monitoringDefinitions().map((file) =>
      succeeds(kubectl, `definition ${file.split('/').at(-1)}`, 'apply', '--server-side', '-f', file),
    ),
    succeeds(kubectl, 'definitions are served', 'wait', '--for=condition=Established', '--all', 'crd'),
  ];
}

/** Applies what kustomize makes of an environment, as docs/kubernetes.md has people do it. */
export function applyOverlay(kubectl: Kubectl, environment: string): Check {
  const flags = ['--server-side', '--force-conflicts', '--validate=strict'];
  return succeeds(kubectl, `${environment} is applied`, 'apply', ...flags, '-k', overlay(environment));
}

/** Whether Argo CD's manifest has the committed sum where Go's checksum database vouches for it, and is taken as bootstrap.sh applies it. */
export function applyArgo(kubectl: Kubectl): Check[] {
  return withArgo((folder) => {
    const sum = createHash('sha256')
      .update(readFileSync(join(folder, 'install.yaml')))
      .digest('hex');
    const name = 'the committed sum is that of the manifest of Argo CD';
    const committed = readFileSync(join(folder, 'install.sha256'), 'utf8');
    return [
      committed === `${sum}  install.yaml\n` ? { name } : { name, fault: `it is ${sum}` },
      succeeds(kubectl, 'Argo CD is applied', 'apply', '--server-side', '--force-conflicts', '-k', folder),
    ];
  });
}
