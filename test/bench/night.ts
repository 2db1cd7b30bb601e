import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { benchFit } from './night-fit.ts';

interface DemoDocument {
  readonly status: string;
  readonly seconds: number;
  readonly transitions: number;
  readonly tenants: readonly { readonly tenantId: string; readonly transitions: number }[];
}

async function demo(stateDir: string, ...more: string[]): Promise<DemoDocument> {
  const child = spawn(
    process.execPath,
    [resolve('cli/epsilon.js'), 'demo', '--json', '--state-dir', stateDir, ...more],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  const code = await new Promise((done) => child.once('close', done));
  if (code !== 0) throw new Error(`the demo ended with ${String(code)}`);
  return JSON.parse(text) as DemoDocument;
}

/** Milliseconds from a job's exit to the next job of the same run, from the runner's own records. */
function handOffs(stateDir: string, until: 'started.json' | 'spec.json'): number[] {
  const jobs = join(stateDir, 'jobs');
  const at = (name: string, file: string) => statSync(join(jobs, name, file)).mtimeMs;
  const gaps: number[] = [];
  for (const name of readdirSync(jobs)) {
    const { runId, stage } = JSON.parse(readFileSync(join(jobs, name, 'spec.json'), 'utf8')) as {
      runId: string;
      stage: string;
    };
    const before = { train: 'prepare', index: 'train', deploy: 'index', cache: 'index' }[stage];
    if (before !== undefined) gaps.push(at(name, until) - at(`${runId}-${before}-1`, 'exit.json'));
  }
  return gaps.sort((a, b) => a - b);
}

function figures(gaps: readonly number[]): Record<string, number> {
  const share = (part: number) => gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * part))] ?? 0;
  return { jobs: gaps.length, p50Milliseconds: share(0.5), p95Milliseconds: share(0.95) };
}

const freshState = () => join(mkdtempSync(join(tmpdir(), 'epsilon-bench-')), 'state');

/** The demo as a whole: seconds, transitions per tenant, and the pause between one job and the next. */
export async function benchNight(): Promise<Record<string, unknown>> {
  const whole = freshState();
  const document = await demo(whole);
  const alone = freshState();
  for (let night = 0; night < 6; night += 1) await demo(alone, '--tenants', '1');
  return {
    demoSeconds: document.seconds,
    tenants: document.tenants.length,
    transitionsPerTenant: document.tenants.map((tenant) => tenant.transitions),
    transitions: document.transitions,
    handOff: {
      ...figures(handOffs(alone, 'started.json')),
      target: 'p95 <= 50 ms',
      from: 'exit of a job',
      to: "next job's process started",
      load: 'one tenant',
    },
    tenThousandTenants: benchFit(),
    // With several tenants the next job also waits for capacity of this host: until it was accepted, while trainings use every core.
    handOffUnderLoad: {
      ...figures(handOffs(whole, 'spec.json')),
      from: 'exit of a job',
      to: 'next job accepted',
      load: 'four tenants on every core',
    },
  };
}
