import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileUriOf } from '../../../lib/objects/file-uri.ts';
import { confined, findBubblewrap } from '../../../local/jobs/confine.ts';
import { freshDir } from '../../fresh-dir.ts';
import { aRunner, aSpec, expectNothingLeft } from './runner-harness.ts';

afterEach(expectNothingLeft);

const bubblewrap = findBubblewrap({ PATH: process.env['PATH'] });

describe('the command of a confined job', () => {
  it("shows of the state directory its tenant's objects, its records and its documents, and lets it write below its output", () => {
    const root = freshDir();
    const objectsRoot = join(root, 'objects');
    const spec = aSpec('j', '', {
      outputUri: 's3://data/acme/runs/r1/train/2/',
      environment: { EPSILON_INPUTS: JSON.stringify({ documents: fileUriOf(`${root}/docs/*.md`) }) },
    });
    const { args } = confined('bwrap', { file: '/p', args: ['a'], env: {} }, spec, {
      stateDir: root,
      objectsRoot,
      jobFolder: `${root}/jobs/j`,
      temporary: '/tmp',
    });
    const tenant = `${objectsRoot}/data/acme`;
    const output = `${tenant}/runs/r1/train/`;
    expect(args.join(' ')).toBe(
      `--ro-bind / / --dev-bind /dev /dev --bind /tmp /tmp --tmpfs ${root} --ro-bind-try ${tenant} ${tenant} --ro-bind-try ${root}/docs ${root}/docs --bind ${output.slice(0, -1)} ${output.slice(0, -1)} --bind ${root}/jobs/j ${root}/jobs/j -- /p a`,
    );
  });

  it('is not made where bubblewrap is absent, or switched off', () => {
    expect(findBubblewrap({ PATH: freshDir() })).toBeUndefined();
    expect(findBubblewrap({ PATH: process.env['PATH'], EPSILON_CONFINE: 'off' })).toBeUndefined();
  });
});

describe.skipIf(bubblewrap === undefined)('a confined job', () => {
  /** A runner in a state directory with a socket, a token and a database of another tenant. */
  function confinedRunner() {
    const stateDir = freshDir();
    const [root, objectsRoot] = [join(stateDir, 'jobs'), join(stateDir, 'objects')];
    for (const path of [root, join(objectsRoot, 'data/beta'), join(stateDir, 'keys')])
      mkdirSync(path, { recursive: true });
    for (const path of ['control.sock', 'token', 'store.db', 'keys/tokens', 'objects/data/beta/model.bin'])
      writeFileSync(join(stateDir, path), 'secret');
    const runner = aRunner(root, {
      command: (spec, { resultPath }) =>
        confined(
          bubblewrap ?? '',
          { file: '/bin/sh', args: ['-c', spec.arguments[0] ?? ''], env: { RESULT: resultPath } },
          spec,
          { stateDir, objectsRoot, jobFolder: join(resultPath, '..'), temporary: '/tmp' },
        ),
    });
    const spec = (name: string, script: string) =>
      aSpec(name, script, { outputUri: 's3://data/acme/runs/r1/train/1/' });
    return { ...runner, stateDir, objectsRoot, spec };
  }

  it('writes its output and result, and reaches neither socket, token, keys, databases nor objects of others', async () => {
    const { runner, ended, spec, stateDir, objectsRoot } = confinedRunner();
    const looks = ['control.sock', 'token', 'store.db', 'keys/tokens', 'objects/data/beta'].map(
      (name) => `[ ! -e '${stateDir}/${name}' ]`,
    );
    const out = `${objectsRoot}/data/acme/runs/r1/train/1`;
    const script = `${looks.join(' && ')} && mkdir -p '${out}' && echo x > '${out}/model' && printf '{"ok":1}' > "$RESULT"`;
    await runner.submit(spec('in-1', script));
    expect(await ended('in-1')).toMatchObject({ state: 'succeeded', result: { ok: 1 } });
    expect(readFileSync(`${out}/model`, 'utf8')).toBe('x\n');
    runner.close();
  });

  it('writes nowhere else', async () => {
    const { runner, ended, spec, stateDir, objectsRoot } = confinedRunner();
    const victim = join(objectsRoot, 'data/beta/model.bin');
    await runner.submit(spec('out-1', `echo x > '${victim}' || exit 7`));
    await runner.submit(spec('out-2', `echo x > /var/stray-of-a-test || exit 7`));
    for (const name of ['out-1', 'out-2']) expect(await ended(name)).toMatchObject({ exitCode: 7 });
    expect([readFileSync(victim, 'utf8'), existsSync('/var/stray-of-a-test')]).toEqual(['secret', false]);
    expect(existsSync(join(stateDir, 'control.sock'))).toBe(true);
    runner.close();
  });

  it('hears SIGTERM although bubblewrap does not pass it on, and leaves nothing running', async () => {
    const { runner, ended, started, spec, root } = confinedRunner();
    const ref = await runner.submit(
      spec('stop-1', `trap 'exit 143' TERM; touch '${root}/stop-1/ready'; while :; do sleep 0.05; done`),
    );
    await started('stop-1');
    while (!existsSync(join(root, 'stop-1/ready'))) await new Promise<void>((again) => setTimeout(again, 10));
    runner.interrupt(ref.jobName);
    expect(await ended('stop-1')).toMatchObject({ reason: 'preempted', exitCode: 143 });
    runner.close();
  });
});
