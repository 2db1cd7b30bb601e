import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Verdict, verifyRecordings } from '../../../local/asl/runner/verify.ts';
import { conclude } from '../debian.ts';
import { explained } from './explained.ts';

/**
 * `npm run test:conformance:histories -- DIR`: machines whose executions on AWS were recorded, run again here and compared
 * event for event. DIR is a checkout of github.com/localstack/localstack, whose tests of Step Functions hold the recordings.
 */
const suite = join('tests', 'aws', 'services', 'stepfunctions');

/** Fewest recordings that a checkout is expected to hold: with fewer, the conversion no longer fits it. */
const fewest = 100;

function makeVenv(): string {
  const venv = resolve('node_modules/.cache/histories-venv');
  const python = join(venv, 'bin', 'python');
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'pytest', 'json5', 'pyyaml'], {
    stdio: 'inherit',
  });
  return python;
}

/** Recordings made of a checkout's stored histories, and the folder that holds them. */
function convert(checkout: string): string {
  const work = mkdtempSync(join(tmpdir(), 'histories-'));
  cpSync(join(checkout, suite), join(work, 'tree', suite), { recursive: true });
  for (const folder of ['tests', 'tests/aws', 'tests/aws/services'])
    writeFileSync(join(work, 'tree', folder, '__init__.py'), '');
  cpSync(join(import.meta.dirname, 'conftest.py'), join(work, 'tree', 'conftest.py'));
  const recordings = join(work, 'recordings');
  mkdirSync(recordings);
  try {
    // Most tests fail, because their stand-ins answer nothing; they count when they started one machine before.
    execFileSync(
      makeVenv(),
      ['-m', 'pytest', '-q', '--tb=no', '-W', 'ignore', '--continue-on-collection-errors', join(suite, 'v2')],
      { cwd: join(work, 'tree'), env: { ...process.env, RECORDINGS: recordings }, stdio: 'ignore' },
    );
  } catch {
    // The recordings are counted instead.
  }
  return recordings;
}

function faultOf(verdict: Verdict): string | undefined {
  if (verdict.verdict === 'same') return undefined;
  if (verdict.verdict === 'differs')
    return `${verdict.name} differs at event ${verdict.difference.event}: ${JSON.stringify(verdict.difference)}`;
  const text = verdict.faults.join('; ');
  return explained.some(({ matches }) => matches.test(text)) ? undefined : `${verdict.name}: ${text}`;
}

async function main(checkout: string | undefined): Promise<void> {
  if (checkout === undefined || !existsSync(join(checkout, suite))) {
    conclude(0, [], `no checkout of github.com/localstack/localstack: name its folder (it holds ${suite})`);
    return;
  }
  const recordings = convert(checkout);
  const converted = readdirSync(recordings).length;
  if (converted < fewest) {
    conclude(converted, [`only ${converted} recordings were found, at least ${fewest} are expected`]);
    return;
  }
  const verdicts = await verifyRecordings(recordings, Date.UTC(2026, 0, 1));
  const count = (verdict: Verdict['verdict']) => verdicts.filter((each) => each.verdict === verdict).length;
  process.stdout.write(
    `${verdicts.length} machines recorded on AWS: ${count('same')} the same, ${count('differs')} differ, ${count('refused')} are refused\n`,
  );
  for (const { matches, reason } of explained) {
    const refused = verdicts.filter(
      (each) => each.verdict === 'refused' && each.faults.some((fault) => matches.test(fault)),
    );
    process.stdout.write(`  refused ${refused.length}: ${reason}\n`);
  }
  conclude(
    verdicts.length,
    verdicts.flatMap((verdict) => faultOf(verdict) ?? []),
  );
}

await main(process.argv[2]);
