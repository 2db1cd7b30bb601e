import { appendFileSync, cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freshDir } from '../fresh-dir.ts';
import { type Night, openNight } from './harness.ts';

let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

/** This project, told to notify by a program. */
function projectThatNotifies(command: readonly string[]): string {
  const folder = freshDir();
  for (const name of ['serverless.yml', 'events', 'infra', 'statemachines'])
    cpSync(resolve(name), join(folder, name), { recursive: true });
  for (const name of ['functions', 'lib', 'workload', 'package.json'])
    symlinkSync(resolve(name), join(folder, name));
  appendFileSync(
    join(folder, 'infra', 'config', 'local.yml'),
    `\nnotify:\n  command: ${JSON.stringify(command)}\n`,
  );
  return folder;
}

const poisoned = async (command: readonly string[]) => {
  const folder = projectThatNotifies(command);
  night = await openNight({ projectDir: () => folder });
  await night.add('poison');
  night.jobs.fate = () => ({ exitCode: 65, message: 'too few documents' });
  return night.until(await night.fire());
};

describe('a night that failed', () => {
  it('tells the program of the configuration why, and which tenants', async () => {
    const told = join(freshDir(), 'told');
    const script = `const fs = require('node:fs'); fs.writeFileSync(${JSON.stringify(told)}, fs.readFileSync(0))`;
    expect(await poisoned([process.execPath, '-e', script])).toMatchObject({ status: 'FAILED' });
    await vi.waitFor(
      () => expect(existsSync(told) && readFileSync(told, 'utf8')).toContain('poison'),
      10_000,
    );
    expect(JSON.parse(readFileSync(told, 'utf8'))).toMatchObject({
      severity: 'critical',
      subject: expect.stringMatching(/^Night nightly-training-\d+ failed$/),
      body: expect.stringContaining('NightBelowTarget'),
    });
  });

  it('ends as it would without, when the program fails', async () => {
    expect(await poisoned([process.execPath, '-e', 'process.exit(3)'])).toMatchObject({
      status: 'FAILED',
      error: 'NightBelowTarget',
    });
  });
});
