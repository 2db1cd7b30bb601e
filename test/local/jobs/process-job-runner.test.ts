import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { groupMembers, isAlive, processStartTime } from '../../../local/host/processes.ts';
import { JobFolder } from '../../../local/jobs/job-folder.ts';
import { describeJobRunner } from '../../contract/job-runner.ts';
import { freshDir } from '../asl/harness.ts';
import { aRunner, aSpec, clock, expectNothingLeft, scripts } from './runner-harness.ts';

afterEach(expectNothingLeft);

describeJobRunner('processes', async () => {
  const { runner, root, ended } = aRunner();
  return {
    runner,
    spec: (does, name) => aSpec(name, `echo start >> "${root}/${name}.starts"; ${scripts[does]}`),
    ended,
    starts: (name) =>
      readFileSync(join(root, `${name}.starts`), 'utf8')
        .trim()
        .split('\n').length,
    close: async () => runner.close(),
  };
});

describe('a job of this host', () => {
  it('a job sees only permitted variables of the environment', async () => {
    const { runner, root, ended } = aRunner();
    await runner.submit(aSpec('env-1', 'env'));
    await ended('env-1');
    const log = readFileSync(join(root, 'env-1', 'stdout.log'), 'utf8');
    expect(log).toContain('EPSILON_RUN_ID=run');
    expect(log).not.toContain('SECRET');
    runner.close();
  });

  it.each([
    ['exit 143', 'preempted', 143],
    ['kill -TERM $$', 'preempted', 143],
    ['kill -KILL $$', 'error', 137],
    ['exit 75', 'preempted', 75],
  ])('a job that ends with "%s" is %s', async (script, reason, exitCode) => {
    const { runner, ended } = aRunner();
    await runner.submit(aSpec('end-1', script));
    expect(await ended('end-1')).toMatchObject({ state: 'failed', reason, exitCode });
    runner.close();
  });

  it('a job that ignores SIGTERM is killed after the grace period, with everything it started', async () => {
    const { runner, ended, started } = aRunner();
    const ref = await runner.submit(aSpec('stubborn-1', `trap '' TERM; sleep 61 & sleep 62; sleep 63`));
    const { shim } = await started('stubborn-1');
    await runner.cancel(ref, 'enough');
    expect(await ended('stubborn-1')).toMatchObject({ reason: 'cancelled' });
    expect(groupMembers(shim)).toEqual([]);
    runner.close();
  });

  it('a job that is stopped (SIGSTOP) can be cancelled', async () => {
    const { runner, ended, started } = aRunner();
    const ref = await runner.submit(aSpec('stopped-1', 'kill -STOP $$; sleep 60'));
    await started('stopped-1');
    await runner.cancel(ref, 'enough');
    expect(await ended('stopped-1')).toMatchObject({ reason: 'cancelled' });
    runner.close();
  });

  it('a job that takes too long is ended with reason timeout', async () => {
    const { runner, ended } = aRunner();
    await runner.submit(aSpec('slow-1', 'sleep 60', { timeoutSeconds: 0.05 }));
    expect(await ended('slow-1')).toMatchObject({ state: 'failed', reason: 'timeout' });
    runner.close();
  });

  it('a job whose capacity is reclaimed is preempted and may still write its checkpoint', async () => {
    const { runner, root, ended, started } = aRunner();
    await runner.submit(
      aSpec('spot-1', `trap 'echo saved > ${root}/checkpoint; exit 143' TERM; sleep 60 & wait`),
    );
    await started('spot-1');
    await new Promise<void>((resolve) => clock.setTimer(50, resolve));
    runner.interrupt('spot-1');
    expect(await ended('spot-1')).toMatchObject({ reason: 'preempted', exitCode: 143 });
    expect(readFileSync(join(root, 'checkpoint'), 'utf8')).toBe('saved\n');
    runner.close();
  });

  it('a job that asks for more than the host has gets all of it, alone, and the log says so', async () => {
    const { runner, lines, ended, seen } = aRunner();
    await runner.submit(aSpec('small-1', 'sleep 0.1'));
    await runner.submit(aSpec('large-1', 'true', { resources: { cpu: 64, memoryMiB: 999_999 } }));
    await ended('large-1');
    const order = seen.map((one) => `${one.jobName} ${one.state}`);
    expect(order.indexOf('small-1 succeeded')).toBeLessThan(order.indexOf('large-1 running'));
    expect(lines.join('')).toContain('larger than this host');
    runner.close();
  });
});

describe('the input of a job', () => {
  it('travels by a file when it is too large for the environment', async () => {
    const { runner, ended } = aRunner();
    const inputs = JSON.stringify({ documents: `s3://data-bucket/${'x'.repeat(200_000)}/` });
    const script =
      'test -z "$EPSILON_INPUTS" && printf \'{"bytes":%s}\' "$(wc -c < "$EPSILON_INPUTS_FILE")" > "$RESULT"';
    const environment = { EPSILON_RUN_ID: 'run', EPSILON_INPUTS: inputs };
    await runner.submit(aSpec('large-inputs', script, { environment }));
    expect(await ended('large-inputs')).toMatchObject({
      state: 'succeeded',
      result: { bytes: inputs.length },
    });
  });

  it('and cannot be passed on at all fails that job alone, for good, and the next process starts', async () => {
    const { runner, ended, root } = aRunner();
    const environment = { EPSILON_RUN_ID: 'run', EPSILON_OPTIONS: 'x'.repeat(200_000) };
    await runner.submit(aSpec('too-large', 'true', { environment }));
    await runner.submit(aSpec('with-nul', 'true\0'));
    await runner.submit(aSpec('small', 'true'));
    expect(await ended('small')).toMatchObject({ state: 'succeeded' });
    for (const name of ['too-large', 'with-nul'])
      expect(await ended(name)).toMatchObject({
        state: 'failed',
        reason: 'error',
        exitCode: 78,
        message: expect.stringContaining('too large'),
      });
    runner.close();
    expect(aRunner(root).runner.recover()).toEqual({ adopted: 0, queued: 0, lost: 0 });
  });

  it('accepted by an earlier process and impossible to start fails alone as well', async () => {
    const root = freshDir();
    const environment = { EPSILON_OPTIONS: 'x'.repeat(200_000) };
    new JobFolder(root, 'too-large').accept(aSpec('too-large', 'true', { environment }));
    const { runner, ended } = aRunner(root);
    expect(runner.recover()).toEqual({ adopted: 0, queued: 1, lost: 0 });
    expect(await ended('too-large')).toMatchObject({ exitCode: 78 });
  });
});

describe('a job that says how far it is', () => {
  it('is observed with its last whole line, whatever else stands in the file', async () => {
    const { runner, root, started, ended } = aRunner();
    await runner.submit(aSpec('tells', 'while [ ! -e "$RESULT.go" ]; do sleep 0.02; done'));
    await started('tells');
    const folder = new JobFolder(root, 'tells');
    const progress = async () => (await runner.find('tells'))?.progress;
    expect(await progress()).toBeUndefined();
    const line = (done: number) =>
      `{"at":"2026-11-26T10:00:0${done}.000Z","done":${done},"total":10,"unit":"epochs"}\n`;
    writeFileSync(folder.file('progress.jsonl'), `${line(1)}${line(2)}`);
    expect(await progress()).toEqual({ at: '2026-11-26T10:00:02.000Z', done: 2, total: 10, unit: 'epochs' });
    writeFileSync(
      folder.file('progress.jsonl'),
      `${'x'.repeat(9_000)}\n${line(3)}nonsense\n{"done":"5"}\n${line(4).slice(0, 20)}`,
    );
    expect(await progress()).toMatchObject({ done: 3 });
    writeFileSync(`${folder.file('result.json')}.go`, '');
    expect(await ended('tells')).not.toHaveProperty('progress');
  });
});

describe('a control plane that is gone', () => {
  it('jobs survive their control plane; the next one adopts them and reports their end', async () => {
    const first = aRunner();
    await first.runner.submit(aSpec('kept-1', `sleep 0.3; ${scripts.succeeds}`));
    await first.started('kept-1');
    first.runner.close();
    const second = aRunner(first.root);
    expect(second.runner.recover()).toEqual({ adopted: 1, queued: 0, lost: 0 });
    expect(await second.ended('kept-1')).toMatchObject({ state: 'succeeded', result: { answer: 42 } });
    second.runner.close();
  });

  it('a new control plane finds jobs that ended meanwhile, and starts those that were only accepted', async () => {
    const first = aRunner();
    await first.runner.submit(aSpec('done-1', scripts.succeeds));
    await first.ended('done-1');
    first.runner.close();
    new JobFolder(first.root, 'accepted-1').accept(aSpec('accepted-1', 'true'));
    const second = aRunner(first.root);
    expect(second.runner.recover()).toEqual({ adopted: 0, queued: 1, lost: 0 });
    expect(await second.runner.find('done-1')).toMatchObject({ state: 'succeeded' });
    expect(await second.ended('accepted-1')).toMatchObject({ state: 'succeeded' });
    second.runner.close();
  });

  it('a job whose shim vanished is lost, and its remaining processes are ended', async () => {
    const first = aRunner();
    await first.runner.submit(aSpec('lost-1', 'sleep 60'));
    const { shim } = await first.started('lost-1');
    first.runner.close();
    process.kill(shim, 'SIGKILL');
    while (processStartTime(shim) !== undefined) await new Promise<void>((resolve) => setImmediate(resolve));
    const second = aRunner(first.root);
    second.runner.recover();
    expect(await second.ended('lost-1')).toMatchObject({ state: 'failed', reason: 'lost' });
    expect(groupMembers(shim)).toEqual([]);
    second.runner.close();
  });

  it('a new control plane continues a cancellation that was only written down', async () => {
    const first = aRunner(freshDir(), { graceMs: 60_000 });
    const ref = await first.runner.submit(aSpec('half-1', `trap '' TERM; sleep 60; sleep 61`));
    await first.started('half-1');
    await first.runner.cancel(ref, 'enough');
    first.runner.close();
    const second = aRunner(first.root, { graceMs: 50 });
    second.runner.recover();
    expect(await second.ended('half-1')).toMatchObject({ reason: 'cancelled' });
    second.runner.close();
  });

  it('a job counts as running until its exit is written: a full disk leaves no empty record', async () => {
    const { runner, root, ended } = aRunner();
    const folder = new JobFolder(root, 'full-1');
    await runner.submit(
      aSpec('full-1', `ln -s /dev/full "${folder.file('exit.tmp')}"; touch "${folder.file('done')}"`),
    );
    while (!existsSync(folder.file('done'))) await new Promise<void>((resolve) => setImmediate(resolve));
    expect(await runner.find('full-1')).toMatchObject({ state: 'running' });
    rmSync(folder.file('exit.tmp'));
    expect(await ended('full-1')).toMatchObject({ state: 'succeeded', exitCode: 0 });
    runner.close();
  });

  it('a job is not started where its process cannot be recorded', async () => {
    const root = freshDir();
    const folder = new JobFolder(root, 'full-2');
    mkdirSync(folder.path);
    symlinkSync('/dev/full', folder.file('started.tmp'));
    const shim = spawn('/bin/sh', [
      join(import.meta.dirname, '../../../local/jobs/shim.sh'),
      folder.path,
      'touch',
      folder.file('ran'),
    ]);
    expect(await new Promise((resolve) => shim.once('exit', resolve))).toBe(1);
    expect(existsSync(folder.file('ran'))).toBe(false);
    expect(folder.started).toBeUndefined();
  });

  it('a job whose exit record is damaged is lost', () => {
    const folder = new JobFolder(freshDir(), 'torn-1');
    folder.accept(aSpec('torn-1', 'true'));
    writeFileSync(folder.file('exit.json'), '');
    expect(folder.observe()).toMatchObject({ state: 'failed', reason: 'lost' });
  });

  it('a second shim never runs a job that another one has taken', async () => {
    const { runner, root, ended } = aRunner();
    await runner.submit(aSpec('twice-1', `echo x >> ${root}/count; sleep 0.2`));
    const shim = spawn('/bin/sh', [
      join(import.meta.dirname, '../../../local/jobs/shim.sh'),
      join(root, 'twice-1'),
      '/bin/sh',
      '-c',
      `echo x >> ${root}/count`,
    ]);
    await new Promise((resolve) => shim.once('exit', resolve));
    await ended('twice-1');
    expect(readFileSync(join(root, 'count'), 'utf8')).toBe('x\n');
    runner.close();
  });
});

describe('identity of processes', () => {
  it('a process is identified by pid and start time: a later one with the same pid is another', () => {
    const start = processStartTime(process.pid) ?? '';
    expect(isAlive(process.pid, start)).toBe(true);
    expect(isAlive(process.pid, `${start}0`)).toBe(false);
    expect(isAlive(4_000_000, start)).toBe(false);
  });
});

describe('a full or forbidden disk', () => {
  it('a full or read-only disk prevents every start', async () => {
    const root = freshDir();
    const { runner } = aRunner(join(root, 'jobs'));
    writeFileSync(join(root, 'jobs', 'blocked-1'), 'a file where the folder should be');
    await expect(runner.submit(aSpec('blocked-1', 'true'))).rejects.toThrow();
    expect(existsSync(join(root, 'jobs', 'blocked-1', 'running'))).toBe(false);
    runner.close();
  });
});
