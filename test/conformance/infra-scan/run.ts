import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { evaluate } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { jobManifest } from '../../../lib/kubernetes/job-manifest.ts';
import { deployment, specOf } from '../../kubernetes/harness.ts';
import { readManifests } from '../../kubernetes/manifests.ts';
import { type Explained, explained, explainedInTheCluster } from './explained.ts';
import { toPlan } from './plan.ts';

/** Scanner and version; newer ones bring new checks, which are then to be met or explained. */
const scanner = 'checkov==3.3.30';

interface Finding {
  readonly check_id: string;
  readonly resource: string;
  readonly check_name: string;
}

interface Report {
  readonly summary: { readonly passed: number; readonly failed: number; readonly resource_count: number };
  readonly results: { readonly failed_checks: readonly Finding[] };
}

function installScanner(folder: string): string {
  console.log(`installing ${scanner} into a throw-away environment`);
  execFileSync('python3', ['-m', 'venv', folder]);
  execFileSync(join(folder, 'bin', 'pip'), ['install', '--quiet', scanner], { stdio: 'inherit' });
  return join(folder, 'bin', 'checkov');
}

function scan(checkov: string, ...what: readonly string[]): Report {
  // Exit 1 means findings; they are judged below.
  const run = spawnSync(checkov, [...what, '--output', 'json', '--quiet'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.error) throw run.error;
  return JSON.parse(run.stdout) as Report;
}

/** One file with every object of infra/k8s and the Job of an attempt, as the runner makes it. */
function writeManifests(folder: string): { path: string; count: number } {
  const objects = [
    ...readManifests().map(({ object }) => object),
    jobManifest(specOf('succeeds', 'x-1'), deployment),
  ];
  const path = join(folder, 'manifests.yaml');
  writeFileSync(path, objects.map((object) => stringify(object)).join('---\n'));
  return { path, count: objects.length };
}

async function writePlan(folder: string): Promise<{ path: string; count: number }> {
  const digest = `sha256:${'0'.repeat(64)}`;
  const imageDigests = { 'data-pipeline': digest, 'ml-engine': digest, deployer: digest };
  const resources = await evaluate({ ...settingsOf('prod'), imageDigests });
  const path = join(folder, 'tfplan.json');
  writeFileSync(path, JSON.stringify(toPlan(resources)));
  return { path, count: resources.length };
}

/** What of a scan stays unexplained, which explanations are idle, and whether it read too little. */
function judge(
  report: Report,
  enough: { readonly resources: number; readonly passed: number },
  excuses: Explained,
): string[] {
  const { passed, failed, resource_count: seen } = report.summary;
  const used = new Set<string>();
  const unexplained = report.results.failed_checks.filter((finding) => {
    const excuse = excuses.find(({ id, on }) => id === finding.check_id && on.test(finding.resource));
    if (excuse) used.add(excuse.id);
    return !excuse;
  });
  console.log(`${passed} checks passed, ${failed} found something; ${seen} resources read`);
  for (const { id, reason } of excuses) if (used.has(id)) console.log(`  explained ${id}: ${reason}`);
  return [
    ...unexplained.map(({ check_id: id, resource, check_name: name }) => `${id} ${resource}: ${name}`),
    ...excuses.filter(({ id }) => !used.has(id)).map(({ id }) => `${id} is explained but no longer found`),
    // A scan that read little or nothing is green as well.
    ...(seen < enough.resources || passed < enough.passed
      ? [`only ${seen} resources and ${passed} passed checks: too few`]
      : []),
  ];
}

const folder = mkdtempSync(join(tmpdir(), 'infra-scan-'));
try {
  const checkov = process.argv[2] ?? installScanner(join(folder, 'venv'));
  const plan = await writePlan(folder);
  const manifests = writeManifests(folder);
  const faults = [
    ...judge(
      scan(checkov, '-f', plan.path, '--framework', 'terraform_plan'),
      { resources: plan.count * 0.9, passed: 300 },
      explained,
    ),
    ...judge(
      scan(checkov, '-f', manifests.path, '--framework', 'kubernetes'),
      // Checks exist for what runs and for who may do what; settings of its own kind are not read.
      { resources: manifests.count * 0.5, passed: 150 },
      explainedInTheCluster,
    ),
  ];
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
