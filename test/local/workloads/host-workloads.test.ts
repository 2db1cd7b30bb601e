import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { workloadsSchema } from '../../../lib/config/workloads.ts';
import { imageOf } from '../../../local/workloads/host-workloads.ts';
import { freshDir } from '../../fresh-dir.ts';

const train = ['node', 'train.mjs'];

/** A working directory with code, and what its image is now. */
function aWorkload(over: Record<string, unknown> = {}) {
  const folder = freshDir();
  writeFileSync(join(folder, 'train.mjs'), 'export {};');
  writeFileSync(join(folder, '.gitignore'), 'data/\n*.tmp\n');
  const digest = (more: Record<string, unknown> = {}) => {
    const workloads = workloadsSchema.parse({
      reference: { modelTypes: { skipgram: {} } },
      mine: {
        modelTypes: { linear: {} },
        folder,
        commands: { 'data-pipeline': train, 'ml-engine': train, deployer: train },
        ...over,
        ...more,
      },
    });
    return imageOf(
      { projectDir: '/', workloads, variables: { PATH: process.env['PATH'] } },
      'mine',
      'ml-engine',
    );
  };
  return { digest, write: (name: string, text: string) => writeFileSync(join(folder, name), text), folder };
}

describe('the image of a workload of this host', () => {
  it('names workload and image, and stays the same while nothing changes', () => {
    const { digest } = aWorkload();
    expect(digest()).toMatch(/^mine\/ml-engine@sha256:[0-9a-f]{64}$/);
    expect(digest()).toBe(digest());
  });

  it.each([
    ['a file that is edited', ({ write }) => write('train.mjs', 'export const x = 1;')],
    ['a file that is added', ({ write }) => write('model.mjs', '')],
    ['a file that becomes a program', ({ folder }) => chmodSync(join(folder, 'train.mjs'), 0o755)],
    ['a link', ({ folder }) => symlinkSync('train.mjs', join(folder, 'link'))],
    ['the ignore file', ({ write }) => write('.gitignore', 'data/\n')],
  ] satisfies [string, (workload: ReturnType<typeof aWorkload>) => void][])(
    'is another one after %s',
    (_, change) => {
      const workload = aWorkload();
      const before = workload.digest();
      change(workload);
      expect(workload.digest()).not.toBe(before);
    },
  );

  it.each([
    ['arguments', { commands: { 'data-pipeline': train, 'ml-engine': [...train, '-v'], deployer: train } }],
    ['variables', { environment: { THREADS: 2 } }],
    ['a lock file', { lock: '.gitignore' }],
  ])('is another one with other %s', (_, over) => {
    const { digest } = aWorkload();
    expect(digest(over)).not.toBe(digest());
  });

  it('takes no notice of what the ignore file leaves out, nor of what programs leave behind', () => {
    const { digest, write, folder } = aWorkload();
    const before = digest();
    for (const name of ['data', '__pycache__', '.git', 'node_modules']) {
      mkdirSync(join(folder, name));
      write(`${name}/x`, 'x');
    }
    write('a.tmp', 'x');
    expect(digest()).toBe(before);
    write('.epsilonignore', '');
    write('b.tmp', 'x');
    expect(digest()).not.toBe(before);
  });

  it.each([
    ['WORKLOAD_FOLDER_MISSING', { folder: '/nowhere' }],
    ['WORKLOAD_LOCK_MISSING', { lock: 'requirements.txt' }],
    [
      'COMMAND_NOT_FOUND',
      { commands: { 'data-pipeline': train, 'ml-engine': ['pyhton3'], deployer: train } },
    ],
    ['COMMAND_NOT_FOUND', { commands: { 'data-pipeline': train, 'ml-engine': ['./run'], deployer: train } }],
    [
      'COMMAND_NOT_EXECUTABLE',
      { commands: { 'data-pipeline': train, 'ml-engine': ['./train.mjs'], deployer: train } },
    ],
  ])('is refused with %s for %j', (code, over) => {
    const { digest } = aWorkload(over);
    expect(() => digest()).toThrow(expect.objectContaining({ code }));
  });
});
