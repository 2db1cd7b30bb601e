import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stageNames } from '../../lib/training/stages.ts';
import { freshDir } from '../fresh-dir.ts';

const page = readFileSync('docs/your-own-jobs.md', 'utf8');
const python = spawnSync('python3', ['--version']).status === 0;
if (!python) process.stderr.write('SKIPPED: commands of docs/your-own-jobs.md (there is no python3 here)\n');

describe('docs/your-own-jobs.md', () => {
  it.skipIf(!python)(
    'leads from nothing to a night with changed code by the commands it shows',
    { timeout: 120_000 },
    () => {
      const folder = freshDir();
      const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
      expect(blocks.length).toBeGreaterThan(4);
      const bin = join(folder, 'bin');
      mkdirSync(bin);
      const launcher = `#!/bin/sh\nexec "${process.execPath}" "${resolve('cli/epsilon.js')}" "$@"\n`;
      writeFileSync(join(bin, 'epsilon'), launcher, { mode: 0o755 });
      const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-ec', blocks.join('\n')], {
        cwd: folder,
        encoding: 'utf8',
        env: {
          PATH: `${bin}:${process.env['PATH']}`,
          EPSILON: resolve('.'),
          EPSILON_STATE_DIR: join(folder, 'state'),
        },
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain('ok     prepare: run to the end');
      expect(stdout).toMatch(/nightly-training\/\S+ SUCCEEDED/);
      expect(stdout).toMatch(/^0\.\d{3} {2}\S+\.md$/m);
      // The model of the night, and the one of the changed code, which is live.
      expect(stdout).toMatch(/ live .*\n.* previous /);
    },
  );

  it('names every image and stage that a workload has commands for', () => {
    for (const name of ['data-pipeline', 'ml-engine', 'deployer', 'query', ...stageNames])
      expect(page, name).toContain(name);
  });
});
