import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandName } from '../../cli/launch/command-name.ts';
import { freshDir } from '../fresh-dir.ts';

/** A user of this host that owns nothing of the checkout. */
const nobody = 65_534;

describe('node cli/epsilon.js', () => {
  const checkout = join(freshDir(), 'checkout');

  beforeAll(() => {
    mkdirSync(checkout);
    for (const name of ['cli', 'lib', 'local', 'functions', 'infra', 'events', 'statemachines', 'workload'])
      cpSync(resolve(name), join(checkout, name), { recursive: true });
    for (const name of ['package.json', 'serverless.yml']) cpSync(resolve(name), join(checkout, name));
    // As after a checkout that resets modes: nothing may be executed, nothing written.
    for (const entry of readdirSync(checkout, { recursive: true, withFileTypes: true }))
      chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o444);
    // Last, so that no mode is changed through it.
    symlinkSync(resolve('node_modules'), join(checkout, 'node_modules'));
    chmodSync(join(checkout, '..'), 0o755);
  });

  it('runs for a user who does not own the checkout, without a home, whatever the modes of files', () => {
    const root = process.getuid?.() === 0;
    if (!root) process.stderr.write('NOTE: as another user it was not tried (only root can become one)\n');
    for (const args of [['--help'], ['validate']]) {
      const ran = spawnSync('node', [join(checkout, 'cli', 'epsilon.js'), ...args], {
        cwd: '/',
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
        ...(root ? { uid: nobody, gid: nobody } : {}),
      });
      expect(ran).toMatchObject({ status: 0, stderr: '' });
      expect(ran.stdout).toMatch(args[0] === '--help' ? /Usage: epsilon/ : /^Valid: /);
    }
  });
});

describe('the name of the command in messages', () => {
  it.each([
    ['/srv/epsilon/cli/epsilon.js', {}, '/srv/epsilon', 'node cli/epsilon.js'],
    ['/srv/epsilon/cli/epsilon.js', {}, '/home/ada/work', 'node /srv/epsilon/cli/epsilon.js'],
    ['/srv/my epsilon/cli/epsilon.js', {}, '/', "node 'srv/my epsilon/cli/epsilon.js'"],
    ['/usr/bin/epsilon', {}, '/', 'epsilon'],
    ['/srv/epsilon/cli/epsilon.js', { EPSILON_COMMAND: 'epsilon' }, '/', 'epsilon'],
    ['/c/_npx/epsilon', { npm_lifecycle_event: 'npx' }, '/', 'npx epsilon'],
  ])('%s with %j in %s is %s', (script, variables, folder, name) => {
    expect(commandName(script, variables, folder)).toBe(name);
  });
});
