import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { SqliteJournal } from '../../local/asl/journal/sqlite.ts';
import { seededRandom } from '../../local/clock/seeded-random.ts';
import { openLocalStores } from '../../local/stores/local-stores.ts';

/** What a campaign of kills found. */
export interface Campaign {
  readonly kills: number;
  readonly nights: number;
  /** Kills that left jobs at work behind. */
  readonly amidst: number;
  /** One sentence per broken promise. */
  readonly broken: string[];
}

const words = [
  'vector',
  'tenant',
  'search',
  'index',
  'model',
  'queue',
  'lease',
  'night',
  'retry',
  'cache',
  'token',
  'stage',
];

/** Small documents that train in a fraction of a second. */
function writeDocuments(folder: string, tenant: number): void {
  mkdirSync(folder, { recursive: true });
  for (let document = 0; document < 12; document += 1) {
    const text = Array.from(
      { length: 60 },
      (_, at) => words[(document * 7 + at * (tenant + 3)) % words.length],
    ).join(' ');
    writeFileSync(join(folder, `${document}.md`), `Document ${document} of tenant ${tenant}.\n\n${text}\n`);
  }
}

function epsilon(stateDir: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [resolve('cli/epsilon.js'), '--state-dir', stateDir, '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  child.stdout?.resume();
  const code = await new Promise<number | null>((done) => child.once('exit', (value) => done(value)));
  if (code !== 0 && code !== 3 && code !== null) process.stderr.write(errors);
  return code;
}

/** Whether this process writes the state directory: before that it has nothing to lose, however slow the machine. */
function isWriter(stateDir: string, { pid }: ChildProcess): boolean {
  try {
    return (JSON.parse(readFileSync(join(stateDir, 'lock'), 'utf8')) as { pid?: number }).pid === pid;
  } catch {
    return false;
  }
}

/** Kills the command with SIGKILL so many milliseconds after it took the state directory; true when it still ran. */
async function killAfter(stateDir: string, child: ChildProcess, milliseconds: number): Promise<boolean> {
  const over = new Promise<void>((done) => child.once('exit', () => done()));
  const runs = () => child.exitCode === null && child.signalCode === null;
  while (runs() && !isWriter(stateDir, child)) await setTimeout(5);
  await Promise.race([over, setTimeout(milliseconds)]);
  const killed = runs() && child.kill('SIGKILL');
  await over;
  return killed;
}

function jobsAtWork(stateDir: string): number {
  const jobs = join(stateDir, 'jobs');
  const has = (name: string, file: string) => existsSync(join(jobs, name, file));
  return readdirSync(jobs).filter((name) => has(name, 'running') && !has(name, 'exit.json')).length;
}

/** Every promise that a night makes, checked against what is on disk. */
function check(stateDir: string, night: string, date: string, tenants: readonly string[]): string[] {
  const broken: string[] = [];
  const stores = openLocalStores({ stateDir, readOnly: true });
  const journal = new SqliteJournal({ stateDir, readOnly: true });
  const record = journal.execution(`arn:aws:states:local:000000000000:execution:nightly-training:${night}`);
  if (record?.status !== 'SUCCEEDED') broken.push(`${night} is ${record?.status ?? 'not on record'}`);
  for (const tenant of tenants) {
    const jobs = readdirSync(join(stateDir, 'jobs')).filter((name) => name.startsWith(`${tenant}-${date}-`));
    const started = jobs.filter((name) => readdirSync(join(stateDir, 'jobs', name)).includes('running'));
    if (started.length !== 5)
      broken.push(`${night}: ${tenant} ran ${started.length} jobs instead of 5: ${started.join(', ')}`);
    for (const name of started) {
      const log = readFileSync(join(stateDir, 'jobs', name, 'stdout.log'), 'utf8');
      const begun = log.split('\n').filter((line) => line.includes('"stage begins"')).length;
      if (begun !== 1) broken.push(`${night}: job ${name} began ${begun} times`);
    }
  }
  journal.close();
  stores.close();
  return broken;
}

/** Runs nights on real processes and kills the control plane at random moments until `kills` have hit it. */
export async function killCampaign(options: {
  readonly stateDir: string;
  readonly kills: number;
  readonly seed: number;
  readonly tenants?: number;
}): Promise<Campaign> {
  const { stateDir } = options;
  const random = seededRandom(options.seed);
  const tenants = Array.from({ length: options.tenants ?? 2 }, (_, index) => `tenant${index}`);
  for (const [index, tenant] of tenants.entries()) {
    const folder = join(stateDir, '..', `documents-${tenant}`);
    writeDocuments(folder, index);
    const code = await exitOf(epsilon(stateDir, 'tenants', 'add', tenant, '--documents', folder));
    if (code !== 0) throw new Error(`tenants add ended with ${code}`);
  }
  const broken: string[] = [];
  let kills = 0;
  let nights = 0;
  let amidst = 0;
  while (kills < options.kills) {
    nights += 1;
    const day = `2026-01-${String(((nights - 1) % 28) + 1).padStart(2, '0')}`;
    const month = Math.floor((nights - 1) / 28) + 1;
    const date = day.replace('-01-', `-${String(month).padStart(2, '0')}-`);
    const name = `night-${date.replaceAll('-', '')}`;
    const start = () =>
      epsilon(
        stateDir,
        'run',
        'nightly-training',
        '--name',
        name,
        '--input',
        JSON.stringify({ trigger: 'schedule', scheduledTime: `${date}T02:00:00Z` }),
      );
    // The same command again goes on with the same night; exit 3 says that it was over already.
    while (kills < options.kills && (await killAfter(stateDir, start(), random() * 1_200))) {
      kills += 1;
      if (jobsAtWork(stateDir) > 0) amidst += 1;
    }
    const code = await exitOf(start());
    if (code !== 0 && code !== 3) broken.push(`${name}: the same command again ended with ${code}`);
    broken.push(...check(stateDir, name, date, tenants));
  }
  return { kills, nights, amidst, broken };
}
