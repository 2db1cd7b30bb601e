import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isPlatformFault } from '../../lib/training/run.ts';
import { openRuntime, type Runtime } from '../../local/runtime.ts';
import { epsilon } from '../cli/harness.ts';
import { aHostWorkload, jobSource } from '../fixtures/host-workload.ts';
import { aTenant } from '../fixtures/records.ts';
import { freshDir } from '../fresh-dir.ts';

let runtime: Runtime;

afterEach(() => runtime.close());

/** A control plane of this host with a tenant of a workload of its own. */
async function open(variables: Record<string, string>) {
  const stateDir = freshDir();
  runtime = await openRuntime({
    projectDir: resolve('.'),
    stateDir,
    mode: 'write',
    variables: { PATH: process.env['PATH'] ?? '', ...variables },
    schedules: false,
    retryScale: 0.001,
  });
  const training = { options: { rate: 0.5 } };
  const tenant = aTenant({ workload: 'mine', modelType: 'linear', training });
  await runtime.ports.tenants.put(tenant, 0);
  return stateDir;
}

/** Waits until the run is over. */
async function end(executionArn: string): Promise<string> {
  for (;;) {
    const { status } = await runtime.control.workflows.describe(executionArn);
    if (status !== 'RUNNING') return status;
    await new Promise((again) => setTimeout(again, 20));
  }
}

async function train(): Promise<{ arn: string; status: string }> {
  const input = { tenantId: 'acme' };
  const { executionArn: arn } = await runtime.control.workflows.start({
    machine: 'tenant-model-training',
    name: 'acme-1',
    input,
  });
  return { arn, status: await end(arn) };
}

describe('a run of a workload of this host', () => {
  it("runs its commands in their folder, with their variables, the tenant's options and the declared epochs", async () => {
    const { variables, folder } = aHostWorkload();
    const stateDir = await open(variables);
    expect((await train()).status).toBe('SUCCEEDED');
    const attempts = await runtime.control.runs.listAttempts('acme-1');
    const resultOf = (stage: string) => attempts.find((one) => one.stage === stage)?.result;
    expect(resultOf('train')).toMatchObject({
      folder,
      color: 'blue',
      args: ['--tenant-id', 'acme', '--model-type', 'linear', '--epochs', '3'],
      options: { rate: 0.5, minSelfRetrieval: 0.9 },
    });
    const args = resultOf('deploy')?.['args'] as string[];
    expect(args.at(-1)).toMatch(/\/train\/1\/model\.pth$/);
    const live = await runtime.control.models.live('acme');
    expect(live?.modelUri).toMatch(/\/model\.pth$/);
    await runtime.idle();
    const objects = join(stateDir, 'objects', 'embeddings-saas-data', 'acme');
    expect(readFileSync(join(objects, 'model.pth'), 'utf8')).toBe('train');
  });

  it('whose code is edited between an attempt and its redrive runs the new code, and says so', async () => {
    const { variables, edit } = aHostWorkload(jobSource("if (stage === 'train') process.exit(65);"));
    const stateDir = await open(variables);
    const { arn, status } = await train();
    expect(status).toBe('FAILED');
    edit(jobSource('// better'));
    await runtime.control.workflows.redrive(arn);
    expect(await end(arn)).toBe('SUCCEEDED');
    const [run, attempts] = [
      await runtime.control.runs.getRun('acme-1'),
      await runtime.control.runs.listAttempts('acme-1'),
    ];
    const trained = attempts.filter(({ stage }) => stage === 'train').map(({ image }) => image);
    expect(trained[0]).toBe(run?.images['ml-engine']);
    expect(trained[1]).toMatch(/^mine\/ml-engine@sha256:/);
    expect(trained[1]).not.toBe(trained[0]);
    expect(readFileSync(join(stateDir, 'logs', 'control-plane.jsonl'), 'utf8')).toContain(
      'the code has changed',
    );
    const { out } = await epsilon(runtime.control, 'describe', 'acme-1');
    expect(out).toContain(`train 2 ran ${trained[1]}`);
    expect(out).not.toContain('prepare 1 ran');
  });

  it('that speaks another version of the job contract is not begun: no job, the lease is free, and a redrive looks again', async () => {
    const { mine } = aHostWorkload();
    await open({ EPSILON_WORKLOADS: JSON.stringify({ mine: { ...mine, contract: [1, 3] } }) });
    const { arn, status } = await train();
    expect(status).toBe('FAILED');
    const { runs } = runtime.control;
    const refused = { status: 'failed', error: 'IMAGE_CONTRACT_MISMATCH', images: {} };
    const cause = expect.stringMatching(
      /^Jobs of image mine\/data-pipeline@sha256:\w+ accept version 1 and 3 of the job contract; this control plane speaks version 2\./,
    );
    expect(await runs.getRun('acme-1')).toMatchObject({ ...refused, cause });
    expect(isPlatformFault({ status: 'failed', error: refused.error })).toBe(true);
    expect(await runs.listAttempts('acme-1')).toEqual([]);
    expect(await runtime.ports.leases.get('acme')).toBeUndefined();
    await runtime.control.workflows.redrive(arn);
    expect(await end(arn)).toBe('FAILED');
    expect(await runs.getRun('acme-1')).toMatchObject({ ...refused, redriveCount: 1 });
  });

  it('that says which versions it accepts is begun when the control plane speaks one of them', async () => {
    const { mine } = aHostWorkload();
    await open({ EPSILON_WORKLOADS: JSON.stringify({ mine: { ...mine, contract: [2, 3] } }) });
    expect((await train()).status).toBe('SUCCEEDED');
  });

  it('whose program is gone fails with a code, its attempt as one that cannot be started', async () => {
    const source = jobSource("if (stage === 'train') (await import('node:fs')).rmSync('deploy');");
    const { mine, folder } = aHostWorkload(source);
    writeFileSync(join(folder, 'deploy'), '#!/bin/sh', { mode: 0o755 });
    const commands = { ...mine.commands, deployer: ['./deploy'] };
    await open({ EPSILON_WORKLOADS: JSON.stringify({ mine: { ...mine, commands } }) });
    const { arn, status } = await train();
    expect(status).toBe('FAILED');
    const attempts = await runtime.control.runs.listAttempts('acme-1');
    expect(attempts.filter(({ stage }) => stage === 'deploy')).toMatchObject([
      {
        error: 'JobCannotStart',
        cause: `COMMAND_NOT_FOUND: Workload "mine" runs ${folder}/deploy, which is not there.`,
      },
    ]);
    await runtime.control.workflows.describe(arn);
  });
});
