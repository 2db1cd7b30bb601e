import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobSpec } from '../../../lib/training/attempts/job.ts';
import { JobFolder } from '../../../local/jobs/job-folder.ts';
import { StrayWrites } from '../../../local/jobs/stray-writes.ts';
import { jsonLog } from '../../../local/log.ts';
import { freshDir } from '../../fresh-dir.ts';
import { aRunner, aSpec, clock, expectNothingLeft } from './runner-harness.ts';

afterEach(expectNothingLeft);

const result = `printf '{}' > "$RESULT"`;

/** A runner that watches an objects' folder with something of an earlier run in it. */
function watched(root = freshDir(), objectsRoot = freshDir()) {
  const lines: string[] = [];
  const strays = new StrayWrites({ objectsRoot, clock, log: jsonLog(clock, (line) => lines.push(line)) });
  const runner = aRunner(root, { strays });
  const below = (path: string) => join(objectsRoot, 'data', path);
  const file = (path: string) => {
    mkdirSync(join(below(path), '..'), { recursive: true });
    return below(path);
  };
  writeFileSync(file('acme/runs/r0/train/1/model.bin'), 'old');
  mkdirSync(below('acme/runs/r1/train/1'), { recursive: true });
  const spec = (name: string, script: string, over: Partial<JobSpec> = {}) =>
    aSpec(name, `${script}; ${result}`, {
      image: `mine/ml-engine@sha256:${'0'.repeat(64)}`,
      outputUri: 's3://data/acme/runs/r1/train/1/',
      ...over,
    });
  return { ...runner, strays, objectsRoot, below, file, spec, lines };
}

describe('a job of a workload of this host', () => {
  it.each([
    ['over the output of another run', 'acme/runs/r0/train/1/model.bin'],
    ["in its tenant's place for live models", 'acme/model.bin'],
    ['in the place of another tenant', 'beta/runs/r9/train/1/model.bin'],
  ])('fails when it writes %s', async (_, path) => {
    const { runner, ended, spec, file } = watched();
    await runner.submit(spec('writes-1', `echo x > '${file(path)}'`));
    expect(await ended('writes-1')).toMatchObject({
      state: 'succeeded',
      resultFault: `WRITES_ELSEWHERE: it wrote outside of its output: data/${path}`,
    });
    runner.close();
  });

  it('may write below its own output, remove checkpoints of its earlier attempts, and have the control plane write meanwhile', async () => {
    const { runner, ended, started, spec, file, strays, root } = watched();
    writeFileSync(file('acme/runs/r1/train/0/old.ckpt'), '');
    const go = join(root, 'go');
    const script = `while [ ! -e '${go}' ]; do sleep 0.02; done; echo x > '${file('acme/runs/r1/train/1/model')}'; rm '${file('acme/runs/r1/train/0/old.ckpt')}'`;
    await runner.submit(spec('good-1', script));
    await started('good-1');
    await strays.objects.put('s3://data/beta/model.bin', 'promoted');
    await strays.objects.copy('s3://data/beta/model.bin', 's3://data/acme/model.bin');
    writeFileSync(go, '');
    const observation = await ended('good-1');
    expect(observation).toMatchObject({ state: 'succeeded' });
    expect(observation).not.toHaveProperty('resultFault');
    expect(existsSync(file('acme/runs/r1/train/0/old.ckpt'))).toBe(false);
    runner.close();
  });

  it('is not blamed for what another job writes, which is', async () => {
    const { runner, ended, started, spec, file, root, lines } = watched();
    const go = join(root, 'go');
    const wait = `while [ ! -e '${go}' ]; do sleep 0.02; done`;
    const other = { tenantId: 'beta', outputUri: 's3://data/beta/runs/r2/train/1/' };
    await runner.submit(spec('good-1', wait));
    await runner.submit(
      spec('bad-1', `${wait}; echo x > '${file('beta/elsewhere')}'; echo x > '${file('nobody/x')}'`, other),
    );
    await Promise.all([started('good-1'), started('bad-1')]);
    writeFileSync(go, '');
    expect(await ended('good-1')).not.toHaveProperty('resultFault');
    expect((await ended('bad-1')).resultFault).toMatch(/^WRITES_ELSEWHERE.*data\/beta\/elsewhere$/);
    expect(lines.join('')).toContain('which one is not known');
    runner.close();
  });

  it('of the reference workload is not looked at', async () => {
    const { runner, ended, spec, file, root } = watched();
    const image = `ml-engine@sha256:${'0'.repeat(64)}`;
    await runner.submit(spec('own-1', `echo x > '${file('acme/model.bin')}'`, { image }));
    expect(await ended('own-1')).not.toHaveProperty('resultFault');
    expect(existsSync(join(root, 'own-1', 'watch.json'))).toBe(false);
    runner.close();
  });

  it('is looked at by the control plane that adopts it; one that ended unseen is over all the same', async () => {
    const first = watched();
    const go = join(first.root, 'go');
    const wait = `while [ ! -e '${go}' ]; do sleep 0.02; done`;
    await first.runner.submit(first.spec('adopted-1', `${wait}; echo x > '${first.file('acme/stray')}'`));
    await first.started('adopted-1');
    first.runner.close();
    const unseen = new JobFolder(first.root, 'unseen-1');
    unseen.accept(first.spec('unseen-1', 'true'));
    for (const [name, body] of [
      ['started', { shim: 1, shimStart: '' }],
      ['exit', { code: 0 }],
    ] as const)
      writeFileSync(unseen.file(`${name}.json`), JSON.stringify(body));
    unseen.watch();
    expect(unseen.observe()?.state).not.toBe('succeeded');
    const second = watched(first.root, first.objectsRoot);
    second.runner.recover();
    expect(unseen.observe()?.state).toBe('succeeded');
    writeFileSync(go, '');
    expect((await second.ended('adopted-1')).resultFault).toContain('data/acme/stray');
    expect(JSON.parse(readFileSync(join(first.root, 'adopted-1', 'elsewhere.json'), 'utf8'))).toMatchObject({
      count: 1,
    });
    second.runner.close();
    rmSync(first.root, { recursive: true });
  });
});
