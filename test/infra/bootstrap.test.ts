import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshDir } from '../fresh-dir.ts';

/** What the programs that a script calls do, as shell; without an entry they succeed. */
interface World {
  readonly manifest?: string;
  /** The committed sum; that of `manifest` if it is left out. */
  readonly sum?: string;
  readonly aws?: string;
  readonly pulumi?: string;
  /** `kubectl get nodes`. */
  readonly kubectl?: string;
  /** `kubectl get --raw /readyz`. */
  readonly readyz?: string;
  readonly seconds?: number;
}

const sumOf = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * Runs a script of infra in a copy of the folder, with programs that note how they are called. `curl` writes the manifest
 * where it is told to; kubectl also notes what a folder that it applies holds. A pause between two looks is a hundredth of a second.
 */
function run(script: string, world: World) {
  const folder = freshDir();
  const { manifest = 'kind: List\n' } = world;
  for (const part of ['argocd', 'provision.sh'])
    cpSync(join('infra', part), join(folder, part), { recursive: true });
  mkdirSync(join(folder, 'pulumi'));
  writeFileSync(
    join(folder, 'argocd/addons/argo-cd/install.sha256'),
    `${world.sum ?? sumOf(manifest)}  install.yaml\n`,
  );
  writeFileSync(join(folder, 'manifest'), manifest);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const calls = join(folder, 'calls');
  const program = (name: string, body: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\ncd "${folder}"\necho "${name} $*" >> calls\n${body}\n`, {
      mode: 0o755,
    });
  program('aws', world.aws ?? 'echo value');
  program('pulumi', `${world.pulumi ?? ':'}\ncode=$?\necho "pulumi is over" >> calls\nexit $code`);
  program('curl', 'while [ $# -gt 1 ]; do [ "$1" = --output ] && cp manifest "$2"; shift; done');
  program(
    'kubectl',
    `case "$*" in
    *" -k "*) ls "$(echo "$*" | sed "s/.* -k //")" | sed "s/^/applied /" >> calls;;
    *"/readyz") ${world.readyz ?? ':'};;
    *"get nodes"*) ${world.kubectl ?? 'echo True'};;
    esac`,
  );
  const ran = spawnSync('bash', [join(folder, script), 'dev', 'us-west-2'], {
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${bin}:${process.env['PATH']}`,
      BOOTSTRAP_PAUSE: '0.01',
      BOOTSTRAP_SECONDS: String(world.seconds ?? 10),
    },
  });
  const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
  return { code: ran.status, said: `${ran.stdout}${ran.stderr}`, lines };
}

/** A command that fails the first few times, as one that asks for what is still being made. */
const laterOn = (name: string, then: string) =>
  `echo x >> ${name}; [ "$(wc -l < ${name})" -gt 3 ] || exit 1; ${then}`;

const bootstrap = (world: World) => run('argocd/addons/bootstrap.sh', world);
const provision = (world: World) => run('provision.sh', world);
const applied = (lines: readonly string[]) => lines.filter((line) => line.startsWith('kubectl apply'));

describe('bootstrap.sh', () => {
  it('changes nothing in the cluster when the manifest of Argo CD is not the one whose sum is committed', () => {
    const { code, said, lines } = bootstrap({ manifest: 'kind: Else\n', sum: sumOf('kind: List\n') });
    expect(code).not.toBe(0);
    expect(said).toContain('install.yaml: FAILED');
    expect(lines.some((line) => line.startsWith('curl '))).toBe(true);
    expect(lines.filter((line) => line.startsWith('kubectl '))).toEqual([]);
  });

  it('applies the manifest when it is, then the secret with the facts, then the add-ons', () => {
    const { code, lines } = bootstrap({});
    expect(code).toBe(0);
    expect(lines).toContain('applied install.yaml');
    expect(applied(lines).map((line) => line.replace(/\S*\//g, ''))).toEqual([
      expect.stringMatching(/^kubectl apply --server-side --force-conflicts -k /),
      'kubectl apply --server-side -f -',
      'kubectl apply --server-side -f sets',
    ]);
  });

  it('waits for the parameters and for a ready node of a cluster that is being made', () => {
    const { code, lines } = bootstrap({
      aws: laterOn('asked', 'echo value'),
      kubectl: laterOn('looked', 'echo "False True"'),
    });
    expect(code).toBe(0);
    expect(lines.filter((line) => line.includes('get nodes'))).toHaveLength(4);
    expect(applied(lines)).toHaveLength(3);
  });

  it('applies everything before there is a node, as soon as the cluster answers and knows the kinds', () => {
    const { lines } = bootstrap({});
    const first = (words: string) => lines.findIndex((line) => line.includes(words));
    const order = [
      'get --raw /readyz',
      ' -k ',
      'wait --for',
      'apply --server-side -f -',
      '/sets',
      'get nodes',
      'rollout',
    ];
    expect(order.map(first)).toEqual(order.map(first).toSorted((a, b) => a - b));
    expect(order.map(first)).not.toContain(-1);
  });

  it('gives up in time, naming what it waited for, and has applied nothing when the cluster does not answer', () => {
    const { code, said, lines } = bootstrap({ readyz: 'exit 1', seconds: 1 });
    expect(code).toBe(1);
    expect(said).toContain('gave up waiting for access to the cluster');
    expect(applied(lines)).toEqual([]);
  });

  it('fails when no node comes; what it applied waits for one', () => {
    const { code, said, lines } = bootstrap({ kubectl: 'echo False', seconds: 1 });
    expect(code).toBe(1);
    expect(said).toContain('gave up waiting for a node that is ready');
    expect(applied(lines)).toHaveLength(3);
  });
});

describe('provision.sh', () => {
  it('installs the add-ons while resources that they do not need are still being made', () => {
    const { code, lines } = provision({
      pulumi: 'until grep -q "apply --server-side -f .*sets" calls; do sleep 0.01; done',
    });
    expect(code).toBe(0);
    expect(lines.filter((line) => line.startsWith('pulumi up'))).toEqual([
      'pulumi up --yes --non-interactive --policy-pack policy',
    ]);
    const sets = lines.findIndex((line) => line.includes('/sets'));
    expect(lines.indexOf('pulumi is over')).toBeGreaterThan(sets);
    expect(applied(lines)).toHaveLength(3);
    expect(lines.at(-1)).toMatch(
      /^aws cloudwatch put-metric-data .*ProvisioningSeconds --dimensions environment=dev --unit Seconds --value \d+$/,
    );
  });

  it('fails with pulumi, and lets add-ons that wait for resources wait no longer', () => {
    const { code, lines } = provision({ pulumi: 'exit 7', aws: 'exit 1', seconds: 60 });
    expect(code).toBe(7);
    expect(applied(lines)).toEqual([]);
  });

  it('fails when the add-ons do, after pulumi has ended by itself', () => {
    const { code, lines } = provision({ pulumi: 'sleep 2', kubectl: 'echo False', seconds: 1 });
    expect(code).toBe(1);
    expect(lines).toContain('pulumi is over');
  });
});
