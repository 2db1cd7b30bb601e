import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freshDir } from '../fresh-dir.ts';
import { type Night, openNight } from './harness.ts';

let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

/** This project with another tenant machine: what promotes is called differently, as after a deploy. */
function nextRelease(): string {
  const folder = freshDir();
  for (const name of ['serverless.yml', 'events', 'infra', 'statemachines'])
    cpSync(resolve(name), join(folder, name), { recursive: true });
  for (const name of ['functions', 'lib', 'workload', 'package.json'])
    symlinkSync(resolve(name), join(folder, name));
  mkdirSync(join(folder, 'statemachines'), { recursive: true });
  const file = join(folder, 'statemachines', 'tenant-model-training.asl.json');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"PromoteModel"', '"SwitchModel"'));
  return folder;
}

const promotionOf = async (arn: string) =>
  (await night.states(arn)).filter((state) => state === 'PromoteModel' || state === 'SwitchModel');

describe('F50: a deploy while runs are in flight', () => {
  it('lets a run finish on the machine it began with, while a new run takes the new one', async () => {
    let release = resolve('.');
    night = await openNight({ projectDir: () => release });
    await night.add('acme', 'beta');
    night.jobs.fate = ({ tenantId, stage }) => ({
      seconds: tenantId === 'acme' && stage === 'train' ? 7200 : 1,
    });
    const old = await night.train('acme');
    await night.advance(60_000);
    release = nextRelease();
    await night.restart();
    const fresh = await night.train('beta');
    expect(await night.until(fresh)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await promotionOf(fresh)).toEqual(['SwitchModel']);
    expect(await night.until(old)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await promotionOf(old)).toEqual(['PromoteModel']);
    expect(await night.runtime.control.models.live('acme')).toMatchObject({ reason: 'run' });
  });

  it('lets a redrive continue on the machine the run began with', async () => {
    let release = resolve('.');
    night = await openNight({ projectDir: () => release });
    await night.add('acme');
    night.jobs.fate = ({ stage }) => (stage === 'index' ? { exitCode: 65 } : {});
    const arn = await night.train('acme');
    expect(await night.until(arn)).toMatchObject({ status: 'FAILED' });
    release = nextRelease();
    await night.restart();
    night.jobs.fate = () => ({});
    await night.runtime.control.workflows.redrive(arn);
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await promotionOf(arn)).toEqual(['PromoteModel']);
  });
});
