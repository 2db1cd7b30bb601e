import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

interface DemoDocument {
  readonly status: string;
  readonly seconds: number;
  readonly transitions: number;
  readonly tenants: readonly { readonly tenantId: string; readonly transitions: number }[];
}

async function demo(stateDir: string): Promise<DemoDocument> {
  const child = spawn(
    process.execPath,
    [resolve('cli/epsilon.js'), 'demo', '--json', '--state-dir', stateDir],
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

/** Milliseconds from a job's exit to the start of the next job of the same run, from the runner's own records. */
function handOffs(stateDir: string): number[] {
  const jobs = join(stateDir, 'jobs');
  const times = new Map(
    readdirSync(jobs).map((name) => [
      name,
      {
        start: statSync(join(jobs, name, 'started.json')).mtimeMs,
        end: statSync(join(jobs, name, 'exit.json')).mtimeMs,
        accepted: statSync(join(jobs, name, 'spec.json')).mtimeMs,
      },
    ]),
  );
  const gaps: number[] = [];
  for (const [name, { accepted }] of times) {
    const { runId, stage } = JSON.parse(readFileSync(join(jobs, name, 'spec.json'), 'utf8')) as {
      runId: string;
      stage: string;
    };
    const before = { train: 'prepare', index: 'train', deploy: 'index', cache: 'index' }[stage];
    const previous = before === undefined ? undefined : times.get(`${runId}-${before}-1`);
    // Waiting for room on the machine is no hand-off: the clock stops when the next job has been accepted by the runner.
    if (previous) gaps.push(accepted - previous.end);
  }
  return gaps.sort((a, b) => a - b);
}

/** The demo as a whole: seconds, transitions per tenant, and the pause between one job and the next. */
export async function benchNight(): Promise<Record<string, unknown>> {
  const stateDir = join(mkdtempSync(join(tmpdir(), 'epsilon-bench-')), 'state');
  const document = await demo(stateDir);
  const gaps = handOffs(stateDir);
  const at = (share: number) => gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))] ?? 0;
  return {
    demoSeconds: document.seconds,
    tenants: document.tenants.length,
    transitionsPerTenant: document.tenants.map((tenant) => tenant.transitions),
    transitions: document.transitions,
    handOff: {
      jobs: gaps.length,
      p50Milliseconds: at(0.5),
      p95Milliseconds: at(0.95),
      target: 'p95 <= 50 ms',
      from: 'exit record of a job',
      to: 'next job accepted by the runner',
    },
  };
}
