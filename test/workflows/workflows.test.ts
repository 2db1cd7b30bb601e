import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly needs?: readonly string[];
  readonly environment?: string;
  readonly 'runs-on': string;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly concurrency?: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = '.github/workflows';
const names = readdirSync(folder);
const read = (name: string) => readFileSync(`${folder}/${name}`, 'utf8');
const workflow = (name: string) => parse(read(name)) as Workflow;
const jobsOf = (name: string) => Object.values(workflow(name).jobs);
const scripts = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> })
  .scripts;

/** Scripts of package.json that a command runs, in order, with those that these run. */
function scriptsIn(command: string): string[] {
  return [...command.matchAll(/\bnpm (?:run (?:--silent |-s )?([a-z:-]+)|(test)\b)/g)].flatMap(
    ([, named, test]) => {
      const name = named ?? test ?? '';
      return [name, ...scriptsIn(scripts[name] ?? '')];
    },
  );
}

describe.each(names)('workflow %s', (name) => {
  it('names each action by a commit hash, and its version in a comment', () => {
    const uses = [...read(name).matchAll(/uses: *(.*)/g)].map(([, rest = '']) => rest);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('has no right but those that a job lists, and writes nothing to the repository', () => {
    expect(workflow(name).permissions).toEqual({});
    for (const { permissions } of jobsOf(name)) {
      const { contents, ...rest } = permissions ?? {};
      expect(contents).toBe('read');
      // A token for the cloud account is the only other thing a job asks for.
      for (const right of Object.keys(rest)) expect(right).toBe('id-token');
    }
  });

  it('leaves no token in the working copy', () => {
    for (const { steps } of jobsOf(name)) {
      const checkouts = steps.filter(({ uses = '' }) => uses.startsWith('actions/checkout@'));
      expect(checkouts).toHaveLength(1);
      expect(checkouts[0]?.with?.['persist-credentials']).toBe(false);
    }
  });

  it('ends by itself, and has one run at a time for each thing it works on', () => {
    for (const job of jobsOf(name)) expect(job['timeout-minutes']).toBeGreaterThan(0);
    expect(workflow(name).concurrency?.group).toContain('${{');
  });

  it('puts no value from outside into the text of a command', () => {
    const commands = jobsOf(name).flatMap(({ steps }) => steps.flatMap(({ run = [] }) => run));
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) expect(command).not.toContain('${{');
  });
});

describe('workflow ci.yaml', () => {
  const ci = workflow('ci.yaml');
  const commands = jobsOf('ci.yaml').flatMap(({ steps }) => steps.flatMap(({ run = [] }) => run));

  it('runs for each pull request without its secrets, and for main', () => {
    expect(ci.on).toEqual({ pull_request: null, push: { branches: ['main'] } });
    expect(read('ci.yaml')).not.toMatch(/secrets\.|pull_request_target/);
    expect(ci.jobs['check']?.permissions).toEqual({ contents: 'read' });
  });

  it('runs commands of the README that package.json knows', () => {
    const readme = readFileSync('README.md', 'utf8');
    expect(commands).toEqual(['npm ci', 'npm run check', 'npm run demo']);
    for (const command of commands) expect(readme).toContain(command);
    for (const name of commands.flatMap(scriptsIn)) expect(Object.keys(scripts)).toContain(name);
  });
});

describe('the workflows together', () => {
  it('begin with pushes to main alone: what the App of a release writes to release/* starts none', () => {
    for (const name of names) {
      const { push } = workflow(name).on as { push?: { readonly branches?: readonly string[] } };
      if ('push' in workflow(name).on) expect(push, name).toEqual({ branches: ['main'] });
      for (const other of ['create', 'delete', 'workflow_run', 'pull_request_target'])
        expect(Object.keys(workflow(name).on), name).not.toContain(other);
    }
  });

  it('know no stored secret', () => {
    for (const name of names) expect(read(name), name).not.toMatch(/secrets\./);
  });

  it('run scripts that are files, each of which can be run', () => {
    const run = names.flatMap((name) =>
      [...read(name).matchAll(/infra\/[\w/-]+\.sh/g)].map(([file]) => file),
    );
    expect(new Set(run).size).toBeGreaterThanOrEqual(6);
    for (const file of run) expect(statSync(file).mode & 0o111, file).not.toBe(0);
  });
});

describe('workflow deploy.yaml', () => {
  const { jobs } = workflow('deploy.yaml');
  const commandsOf = (name: string) => (jobs[name]?.steps ?? []).flatMap(({ run = [] }) => run).join('\n');

  it('builds, begins the release, and does its acts in staging before those in production', () => {
    expect(Object.entries(jobs).map(([name, { needs = [] }]) => [name, needs])).toEqual([
      ['build-and-push', []],
      ['begin', ['build-and-push']],
      ['staging', ['begin']],
      ['production', ['begin', 'staging']],
    ]);
    expect(commandsOf('staging')).toContain(
      'release work "$RELEASE" --in staging --with infra/release/act.sh',
    );
    expect(commandsOf('production')).toContain(
      'release work "$RELEASE" --in production --with infra/release/act.sh',
    );
  });

  it('acts in the GitHub environment of its place, on a runner that reaches the cluster', () => {
    const place = ({ environment, 'runs-on': runner }: Job) => ({ environment, runner });
    expect(Object.values(jobs).map(place)).toEqual([
      { environment: 'prod', runner: 'ubuntu-24.04' },
      { environment: 'prod', runner: 'ubuntu-24.04' },
      { environment: 'staging', runner: '${{ vars.RELEASE_RUNNER }}' },
      { environment: 'prod', runner: '${{ vars.RELEASE_RUNNER }}' },
    ]);
    for (const job of Object.values(jobs))
      expect(job.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
  });

  it('runs no script of a package, checks who signed each, and keeps a bill of materials', () => {
    for (const name of ['begin', 'staging', 'production'])
      expect(commandsOf(name)).toMatch(/npm ci --ignore-scripts\nnpm audit signatures\n/);
    expect(commandsOf('begin')).toContain('npm sbom --sbom-format cyclonedx');
    expect(jobs['begin']?.steps.some(({ uses = '' }) => uses.startsWith('actions/upload-artifact@'))).toBe(
      true,
    );
  });

  it('is one release at a time, never cut short', () => {
    expect(workflow('deploy.yaml').concurrency).toMatchObject({ 'cancel-in-progress': false });
  });
});

describe('.ci/run', () => {
  const steps = [...readFileSync('.ci/run', 'utf8').matchAll(/^(?:step "[^"]+"|run_\w+\(\) \{) (npm .*)$/gm)];
  const ran = steps.flatMap(([, command = '']) => scriptsIn(command));

  it('runs each script once: those of npm run check, and the demo', () => {
    const checked = scriptsIn('npm run check').slice(1);
    expect(checked).toEqual(expect.arrayContaining(['lint', 'typecheck', 'test', 'build']));
    expect([...ran].sort()).toEqual([...checked, 'demo'].sort());
    expect(new Set(ran).size).toBe(ran.length);
  });
});
