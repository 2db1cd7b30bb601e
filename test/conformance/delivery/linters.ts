import { execFileSync, spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { explainedScores } from './explained.ts';
import { goTool } from './go-tool.ts';
import { kustomized } from './kustomize.ts';
import type { Check } from './rule-tests.ts';

/** Linter of workflows; newer ones bring new findings, which are then to be met or explained. */
const zizmorVersion = 'zizmor==1.32.0';

/** Has zizmor look for weaknesses in the workflows. */
export function checkWeaknesses(): Check {
  const folder = resolve('node_modules/.cache/epsilon-zizmor');
  const zizmor = join(folder, 'bin', 'zizmor');
  if (spawnSync(zizmor, ['--version']).status !== 0) {
    execFileSync('python3', ['-m', 'venv', folder]);
    execFileSync(join(folder, 'bin', 'pip'), ['install', '--quiet', zizmorVersion], { stdio: 'inherit' });
  }
  const run = spawnSync(zizmor, ['--offline', '--format', 'plain', '.github/workflows'], {
    encoding: 'utf8',
  });
  const name = 'zizmor finds nothing in the workflows';
  return run.status === 0 ? { name } : { name, fault: `${run.stdout}${run.stderr}`.slice(0, 2_000) };
}

interface Scored {
  kind: string;
  apiVersion: string;
  spec: Record<string, never> & {
    scaleTargetRef?: object;
    template?: { spec: { containers: { image: string }[] } };
  };
}

/** kube-score knows no Rollout: it is shown the Deployment with the same pods. Images are named by a release. */
function asDeployments(text: string): string {
  const objects = parseAllDocuments(text).map((document) => document.toJSON() as Scored);
  for (const one of objects) {
    if (one.kind === 'Rollout') {
      const { selector, template } = one.spec;
      Object.assign(one, { kind: 'Deployment', apiVersion: 'apps/v1', spec: { selector, template } });
    }
    if (one.spec?.scaleTargetRef)
      Object.assign(one.spec.scaleTargetRef, { kind: 'Deployment', apiVersion: 'apps/v1' });
    for (const container of one.spec?.template?.spec.containers ?? [])
      container.image = `registry.example.com/${container.image}@sha256:${'0'.repeat(64)}`;
  }
  return objects.map((one) => stringify(one, { lineWidth: 0 })).join('---\n');
}

/** Has kube-score look at what kustomize builds; what it finds is explained, and every explanation is needed. */
export function checkScores(): Check[] {
  const kubeScore = goTool('github.com/zegl/kube-score/cmd/kube-score', 'v1.20.0');
  const found = new Set<string>();
  for (const folder of globSync(['infra/k8s/environments/prod', 'infra/k8s/serving/production'])) {
    const { text: built } = kustomized(folder);
    const { stdout } = spawnSync(kubeScore, ['score', '--output-format', 'ci', '-'], {
      input: asDeployments(built),
      encoding: 'utf8',
    });
    for (const line of stdout.split('\n')) if (/^\[(CRITICAL|WARNING)\]/.test(line)) found.add(line);
  }
  const isExplained = (line: string) => explainedScores.some(([pattern]) => pattern.test(line));
  const idle = explainedScores.filter(([pattern]) => ![...found].some((line) => pattern.test(line)));
  const unexplained = [...found].filter((line) => !isExplained(line));
  const name = `kube-score finds ${found.size} things, all of them explained`;
  return [
    unexplained.length === 0 && found.size > 0 ? { name } : { name, fault: unexplained.join('\n') },
    idle.length === 0
      ? { name: 'every explanation of kube-score is needed' }
      : {
          name: 'every explanation of kube-score is needed',
          fault: idle.map(([pattern]) => pattern).join(', '),
        },
  ];
}
