import { spawnSync } from 'node:child_process';
import { works } from '../debian.ts';
import { goTool } from './go-tool.ts';

/** What kustomize makes of a folder, and what is wrong with it. */
export interface Kustomized {
  readonly text: string;
  readonly fault?: string;
}

/** As kubectl has it, and where there is no kubectl of the version that the API server suite builds. */
const command = (): readonly [string, string] =>
  works('kubectl', 'version', '--client')
    ? ['kubectl', 'kustomize']
    : [goTool('sigs.k8s.io/kustomize/kustomize/v5', 'v5.7.1', 'kustomize'), 'build'];

/** Builds a folder; a warning is a fault. */
export function kustomized(folder: string): Kustomized {
  const [program, verb] = command();
  const { status, stdout, stderr } = spawnSync(program, [verb, folder], {
    encoding: 'utf8',
    // Argo CD's definitions alone are more than the usual megabyte.
    maxBuffer: 1e8,
  });
  return { text: stdout, ...(status === 0 && stderr === '' ? {} : { fault: stderr || `exit ${status}` }) };
}
