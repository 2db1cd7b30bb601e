import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Trains a tenant on this project's documentation, backs it up and drills it with faults: `npm run test:recovery`. Prints the record
 * with its verdict, and fails when the drill did not pass.
 */
const folder = mkdtempSync(join(tmpdir(), 'epsilon-recovery-'));

function epsilon(...words: string[]): string {
  const args = [resolve('cli/epsilon.js'), '--state-dir', join(folder, 'state'), ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1e8 });
  if (status === 0 || words[0] === 'drill') return stdout;
  throw new Error(`epsilon ${words.join(' ')} ended with ${status}: ${stderr}`);
}

try {
  epsilon('tenants', 'add', 'docs', '--documents', resolve('docs'));
  epsilon('run', 'tenant-model-training', '--tenant', 'docs');
  epsilon('backup', 'run');
  const out = epsilon('drill', '--faults', '--json', ...process.argv.slice(2));
  const { drill, verdict } = JSON.parse(out) as {
    drill: { faults: { fault: string; outcome: string; what: string; detail: string }[] };
    verdict: { passed: boolean };
  };
  process.stdout.write(`${JSON.stringify({ verdict, faults: drill.faults, drill }, null, 2)}\n`);
  process.exitCode = verdict.passed ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
