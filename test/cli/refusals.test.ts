import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plain, report } from '../../cli/output.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { type Night, openNight } from '../night/harness.ts';
import { call, epsilon } from './harness.ts';

describe('the command, before anything happens', () => {
  let night: Night;
  let control: OperatorApi;

  beforeAll(async () => {
    night = await openNight();
    await night.add('acme');
    await night.until(await night.fire());
    control = night.runtime.control;
  });

  afterAll(() => night.runtime.close());

  it('in the environment of a job is every verb, since jobs do not operate the control plane that runs them', async () => {
    const variables = { EPSILON_RUN_ID: 'acme-1', EPSILON_FENCE: '1' };
    for (const args of [
      ['tenants', 'list'],
      ['stop', 'acme-1'],
      ['run', 'tenant-model-training'],
    ])
      expect(await call({ variables }, args)).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^error INSIDE_JOB: /),
      });
  });

  it.each([
    [['run', 'tenant-model-training'], 'USAGE', 2, '--tenant'],
    [['run', 'tenant-model-training', '--input', '{"tenantId":"nobody"}'], 'TENANT_NOT_FOUND', 2, 'nobody'],
    [['run', 'nightly-training', '--tenant', 'acme'], 'USAGE', 2, 'run tenant-model-training --tenant acme'],
    [['run', 'nightly', '--input', '{"any":1}'], 'MACHINE_NOT_FOUND', 2, 'nightly'],
    [['run', 'nightly-training', '--input', '5'], 'INPUT_INVALID', 2, 'object'],
    [['run', 'nightly-training', '--input', '[1]'], 'INPUT_INVALID', 2, 'object'],
    [
      ['run', 'nightly-training', '--input', '{"logicaldate":"2026-11-20"}'],
      'INPUT_INVALID',
      2,
      'logicaldate',
    ],
    [
      ['run', 'nightly-training', '--input', '{"logicalDate":"2026-02-30"}'],
      'DATE_OUT_OF_RANGE',
      2,
      '2026-02-30',
    ],
    [
      ['run', 'nightly-training', '--input', '{"logicalDate":"2126-01-01"}'],
      'DATE_OUT_OF_RANGE',
      2,
      'future',
    ],
    [
      ['run', 'tenant-model-training', '--tenant', 'acme', '--input', '{"logicaldate":"2026-11-20"}'],
      'INPUT_INVALID',
      2,
      'logicaldate',
    ],
    [
      ['run', 'tenant-model-training', '--tenant', 'acme', '--input', '{"logicalDate":"2026-02-30"}'],
      'DATE_OUT_OF_RANGE',
      2,
      '2026-02-30',
    ],
    [['executions', '--machine', 'training'], 'MACHINE_NOT_FOUND', 2, 'nightly-training'],
    [['map-runs', 'update', 'arn:none', '--max-concurrency', '5'], 'MAP_RUN_NOT_FOUND', 2, 'arn:none'],
    [['map-runs', 'update', 'arn:none', '--max-concurrency', '-5'], 'USAGE', 2, '--max-concurrency -5'],
    [
      ['map-runs', 'update', 'arn:none', '--tolerated-failure-percentage', '101'],
      'USAGE',
      2,
      'from 0 to 100',
    ],
    [['map-runs', 'update', 'arn:none'], 'USAGE', 2, '--tolerated-failure-count'],
    [['stop', 'acme-2026-11-24'], 'EXECUTION_NOT_RUNNING', 3, 'SUCCEEDED'],
    [['logs', 'acme-2026-11-24', '--attempt', 'x'], 'USAGE', 2, '--attempt x'],
    [['logs', 'acme-2026-11-24', '--stage', 'train', '--attempt', '9'], 'JOB_NOT_FOUND', 2, 'no such job'],
    [['models', 'list', 'nobody'], 'TENANT_NOT_FOUND', 2, 'nobody'],
    [['tenants', 'add', 'beta', '--documents', ''], 'USAGE', 2, '--documents'],
    [['start', '--port', 'abc'], 'USAGE', 2, 'abc'],
    [['start', '--port', '70000'], 'USAGE', 2, '70000'],
    [['tenants'], 'USAGE', 2, 'add, list, show'],
    [['--json', 'models'], 'USAGE', 2, 'list, promote, rollback'],
  ])('%j is refused with %s, exit %i, and starts nothing', async (args, code, exit, word) => {
    const before = await control.workflows.list({ limit: 100 });
    const ran = await epsilon(control, ...args, '--json');
    expect(JSON.parse(ran.err)).toMatchObject({
      error: { code, message: expect.stringContaining(word) },
    });
    expect(ran).toMatchObject({ code: exit, out: '' });
    expect(await control.workflows.list({ limit: 100 })).toEqual(before);
  });

  it('shows faults and what is waited for, once each, and goes on when that is over', async () => {
    const shown = await call(
      {
        open: async (_, { onFault, onWaiting }) => {
          const list = async () => {
            onFault?.(new Error('a target did not answer'));
            onWaiting?.({ code: 'DISK_FULL', phase: 'begun', text: 'The disk is full. Free some space.' });
            onWaiting?.({ code: 'DISK_FULL', phase: 'over', text: 'there is room on the disk again' });
            return [];
          };
          return { ...control, schedules: { ...control.schedules, list }, close: async () => {} };
        },
      },
      ['schedules', 'list'],
    );
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.err.split('\n')).toEqual([
      'fault: a target did not answer',
      'waiting (DISK_FULL): The disk is full. Free some space.',
      'going on: there is room on the disk again',
      '',
    ]);
  });
});

describe('output', () => {
  it('takes from the texts of others what a terminal would obey', () => {
    expect(plain('one\n\u001b[2Jtwo\u009b31m \u202ethree ')).toBe('one [2Jtwo 31m three');
  });

  it('calls a full disk by its name, whoever met it', () => {
    let warned = '';
    const output = {
      json: false,
      terminal: false,
      columns: 80,
      write: () => {},
      warn: (text: string) => (warned += text),
    };
    expect(report(output, Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }), false)).toBe(
      4,
    );
    expect(warned).toMatch(/^error DISK_FULL: .*Free some space/);
  });
});
