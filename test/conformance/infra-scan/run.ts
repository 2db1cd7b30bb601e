import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate } from '../../infra/pulumi/program.ts';
import { settingsOf } from '../../infra/pulumi/settings.ts';
import { explained } from './explained.ts';
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

function scan(checkov: string, plan: string): Report {
  const flags = ['-f', plan, '--framework', 'terraform_plan', '--output', 'json', '--quiet'];
  // Exit 1 means findings; they are judged below.
  const run = spawnSync(checkov, flags, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (run.error) throw run.error;
  return JSON.parse(run.stdout) as Report;
}

async function writePlan(folder: string): Promise<{ path: string; count: number }> {
  const digest = `sha256:${'0'.repeat(64)}`;
  const imageDigests = { 'data-pipeline': digest, 'ml-engine': digest, deployer: digest };
  const resources = await evaluate({ ...settingsOf('prod'), imageDigests });
  const path = join(folder, 'tfplan.json');
  writeFileSync(path, JSON.stringify(toPlan(resources)));
  return { path, count: resources.length };
}

function judge(report: Report, count: number): string[] {
  const { passed, failed, resource_count: seen } = report.summary;
  const used = new Set<string>();
  const unexplained = report.results.failed_checks.filter((finding) => {
    const excuse = explained.find(({ id, on }) => id === finding.check_id && on.test(finding.resource));
    if (excuse) used.add(excuse.id);
    return !excuse;
  });
  console.log(`${passed} checks passed, ${failed} found something; ${seen} of ${count} resources read`);
  for (const { id, reason } of explained) if (used.has(id)) console.log(`  explained ${id}: ${reason}`);
  return [
    ...unexplained.map(({ check_id: id, resource, check_name: name }) => `${id} ${resource}: ${name}`),
    ...explained.filter(({ id }) => !used.has(id)).map(({ id }) => `${id} is explained but no longer found`),
    // A scan that read little or nothing is green as well.
    ...(seen < count * 0.9 || passed < 300
      ? [`only ${seen} resources and ${passed} passed checks: too few`]
      : []),
  ];
}

const folder = mkdtempSync(join(tmpdir(), 'infra-scan-'));
try {
  const { path, count } = await writePlan(folder);
  const checkov = process.argv[2] ?? installScanner(join(folder, 'venv'));
  const faults = judge(scan(checkov, path), count);
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
