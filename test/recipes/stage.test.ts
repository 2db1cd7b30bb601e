import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aHostWorkload } from '../fixtures/host-workload.ts';
import { freshDir } from '../fresh-dir.ts';
import { documentsFolder } from '../workload/harness.ts';
import { stageEdits } from './example-stage.ts';
import { readRecipes } from './recipe-text.ts';
import { edit, scratchCopy } from './scratch.ts';

describe('the recipe of CONTRIBUTING.md for a stage', () => {
  it('names every place where the example adds one', () => {
    const { steps = [] } = readRecipes().get('stage') ?? {};
    expect(steps).toEqual(expect.arrayContaining(Object.keys(stageEdits)));
  });

  it('followed on a copy of the project adds a stage that runs between index and deploy', {
    timeout: 60_000,
  }, () => {
    const folder = scratchCopy();
    edit(folder, stageEdits);
    const { variables } = aHostWorkload();
    const epsilon = (...args: string[]) =>
      execFileSync(process.execPath, ['cli/epsilon.js', '--state-dir', join(freshState, 'state'), ...args], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...variables },
      });
    const freshState = freshDir();
    epsilon('tenants', 'add', 'acme', '--documents', documentsFolder(12), '--workload', 'mine');
    epsilon('run', 'tenant-model-training', '--tenant', 'acme', '--name', 'acme-1');
    const { attempts } = JSON.parse(epsilon('describe', 'acme-1', '--json')) as {
      attempts: readonly { stage: string; status: string }[];
    };
    const stages = attempts.map(({ stage, status }) => `${stage} ${status}`);
    expect(stages.slice(0, 4)).toEqual(
      ['prepare', 'train', 'index', 'evaluate'].map((stage) => `${stage} succeeded`),
    );
    expect(stages.slice(4).sort()).toEqual(['cache succeeded', 'deploy succeeded']);
  });
});
