import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshDir } from '../fresh-dir.ts';

/**
 * bootstrap.sh with programs that only note how they are called, in a copy of its folder: `curl` writes `manifest` where it
 * is told to. Gives the exit code and the calls, kubectl's with what the applied folder holds.
 */
function bootstrap({ manifest, sum }: { readonly manifest: string; readonly sum?: string }) {
  const folder = freshDir();
  cpSync('infra/argocd/addons', join(folder, 'addons'), { recursive: true });
  if (sum !== undefined)
    writeFileSync(join(folder, 'addons/argo-cd/install.sha256'), `${sum}  install.yaml\n`);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const calls = join(folder, 'calls');
  const program = (name: string, body: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >> "${calls}"\n${body}\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'manifest'), manifest);
  program('aws', 'echo value');
  program('curl', `while [ $# -gt 1 ]; do [ "$1" = --output ] && cp "${folder}/manifest" "$2"; shift; done`);
  program(
    'kubectl',
    'case "$*" in *" -k "*) ls "$(echo "$*" | sed "s/.* -k //")" | sed "s/^/applied /" >> "' +
      calls +
      '";; esac',
  );
  const run = spawnSync('bash', [join(folder, 'addons/bootstrap.sh'), 'dev', 'us-west-2'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
  });
  const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
  return { code: run.status, said: `${run.stdout}${run.stderr}`, lines };
}

const sumOf = (text: string) => createHash('sha256').update(text).digest('hex');

describe('bootstrap.sh', () => {
  it('changes nothing in the cluster when the manifest of Argo CD is not the one whose sum is committed', () => {
    const { code, said, lines } = bootstrap({ manifest: 'kind: Something else\n' });
    expect(code).not.toBe(0);
    expect(said).toContain('install.yaml: FAILED');
    expect(lines.some((line) => line.startsWith('curl '))).toBe(true);
    expect(lines.filter((line) => line.startsWith('kubectl '))).toEqual([]);
  });

  it('applies the manifest when it is, then the secret with the facts, then the add-ons', () => {
    const manifest = 'kind: List\n';
    const { code, lines } = bootstrap({ manifest, sum: sumOf(manifest) });
    expect(code).toBe(0);
    expect(lines).toContain('applied install.yaml');
    const applied = lines.filter((line) => line.startsWith('kubectl apply'));
    expect(applied.map((line) => line.replace(/\S*\//g, ''))).toEqual([
      expect.stringMatching(/^kubectl apply --server-side --force-conflicts -k /),
      'kubectl apply --server-side -f -',
      'kubectl apply --server-side -f sets',
    ]);
  });
});
