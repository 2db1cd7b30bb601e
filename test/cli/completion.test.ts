import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machines } from '../../lib/machines/catalogue.ts';
import { freshDir } from '../fresh-dir.ts';
import { call } from './harness.ts';

const keys = machines.map(({ key }) => key).sort();

/** Lines before the cursor, and words that must be among what is offered. */
const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ['epsilon', ''],
    ['demo', 'run', 'tenants', 'completion'],
  ],
  [['epsilon', 'run', ''], keys],
  [
    ['epsilon', 'tenants', ''],
    ['add', 'update', 'remove'],
  ],
  [['epsilon', '--target', 'aws', 'tenants', 'add', 'x', '--sch'], ['--schedule']],
  [['epsilon', 'logs', 'x', '--stage', 'tr'], ['train']],
  [['epsilon', 'tenants', 'add', 'x', '--documents', 'my'], ['my documents']],
];

/** A script of a shell, sourced after the completion; skipped with a reason where the shell is not installed. */
async function offered(shell: string, program: (line: readonly string[]) => string, line: readonly string[]) {
  const folder = freshDir();
  mkdirSync(join(folder, 'my documents'));
  const script = await call({}, ['completion', shell]);
  expect(script.code).toBe(0);
  writeFileSync(join(folder, 'completion'), script.out);
  const flags = { bash: ['--norc', '-c'], zsh: ['-f', '-c'], fish: ['--no-config', '-c'] }[shell] ?? [];
  const ran = spawnSync(shell, [...flags, program(line)], { cwd: folder, encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  return ran.stdout.split('\n').map((each) => each.split('\t')[0]?.replace(/\/$/, ''));
}

const quoted = (line: readonly string[]) => line.map((word) => `'${word}'`).join(' ');

const programs: Readonly<Record<string, (line: readonly string[]) => string>> = {
  bash: (line) =>
    `source ./completion; COMP_WORDS=(${quoted(line)}); COMP_CWORD=${line.length - 1}; _epsilon; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (line) =>
    `autoload -Uz compinit; compinit -u -D; source ./completion; compadd() { shift; print -rl -- "$@" }; _files() { print -rl -- my*(N) }; words=(${quoted(line)}); CURRENT=${line.length}; _epsilon`,
  fish: (line) =>
    `source ./completion; complete -C ${`'${line.map((word) => word.replaceAll(' ', '\\ ')).join(' ')}'`}`,
};

describe.each(Object.entries(programs))('completion in %s', (shell, program) => {
  const installed = spawnSync(shell, ['--version']).status === 0;
  if (!installed) process.stderr.write(`SKIPPED: completion in ${shell} (it is not installed here)\n`);

  it.skipIf(!installed).each(cases)('offers after %j: %j', async (line, expected) => {
    expect(await offered(shell, program, line)).toEqual(expect.arrayContaining([...expected]));
  });
});

describe('completion', () => {
  it('makes epsilon a command where it is none', async () => {
    const folder = freshDir();
    const script = await call({}, ['completion', 'bash']);
    writeFileSync(join(folder, 'completion'), script.out);
    const ran = spawnSync(
      'bash',
      [
        '--norc',
        '-c',
        'source ./completion; type -t epsilon; epsilon tenants list; epsilon completion nothing',
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    // A command that reads settings takes the function's own variable for none.
    expect(ran.stdout).toMatch(/^function\n/);
    expect(ran.stderr).not.toContain('CONFIG_');
    expect(ran.stderr).toContain('error USAGE: There is no completion for "nothing"');
  });

  it('is refused for a shell that is not known', async () => {
    expect(await call({}, ['completion', 'tcsh'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('error USAGE'),
    });
  });
});
