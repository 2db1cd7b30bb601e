import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machines } from '../../lib/machines/catalogue.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { freshDir } from '../fresh-dir.ts';
import { type Night, openNight } from '../night/harness.ts';
import { epsilon } from './harness.ts';

describe('the command', () => {
  it('without words shows its help and is a usage fault; --help names the exit codes', async () => {
    expect(await epsilon(undefined)).toMatchObject({
      code: 2,
      out: expect.stringContaining('Usage: epsilon'),
    });
    const help = await epsilon(undefined, '--help');
    expect(help.code).toBe(0);
    expect(help.out).toContain(
      'Exit codes:\n  0 ok, 1 run failed, 2 bad input, 3 conflict, 4 backend, 130 interrupted.',
    );
  });

  it.each([
    [['dmeo'], 'Did you mean demo?'],
    [['tenants', 'ad'], 'Did you mean add?'],
    [['executions', '--limt', '3'], '--limit'],
    [['tenants', 'add', 'acme'], '--documents'],
    [['query', 'x'], '--tenant'],
    [['models', 'promote', 'acme'], 'epsilon models promote --help'],
  ])('%j is a usage fault that helps', async (args, hint) => {
    const ran = await epsilon(undefined, ...args);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain('error USAGE');
    expect(ran.err).toContain(hint);
    const json = await epsilon(undefined, '--json', ...args);
    expect(JSON.parse(json.err)).toMatchObject({ schemaVersion: 1, error: { code: 'USAGE' } });
  });
});

describe('verbs over a night that is over', () => {
  let night: Night;
  let control: OperatorApi;

  beforeAll(async () => {
    night = await openNight();
    await night.add('acme', 'poison');
    night.jobs.fate = ({ tenantId }) =>
      tenantId === 'poison' ? { exitCode: 65, message: 'too few documents' } : {};
    await night.until(await night.fire());
    control = night.runtime.control;
  });

  afterAll(() => night.runtime.close());

  it('cost is the same in sum by tenant, stage and day, and says whose prices it has', async () => {
    const sums: unknown[] = [];
    for (const by of ['tenant', 'stage', 'day']) {
      const ran = await epsilon(control, 'cost', '--by', by, '--until', '2026-11-24', '--json');
      const ledger = ran.json() as unknown as {
        kind: string;
        lines: { usd: number }[];
        total: { usd: number };
      };
      expect(ledger.kind).toBe('equivalent');
      expect(ledger.lines.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(ledger.total.usd, 12);
      sums.push(ledger.total);
    }
    expect(sums[0]).toMatchObject({ runs: 2 });
    expect(new Set(sums.map((sum) => JSON.stringify(sum))).size).toBe(1);
    expect((await epsilon(control, 'cost', '--until', '2026-11-24')).out).toContain(
      'at the price of the same on AWS',
    );
    expect(await epsilon(control, 'cost', '--by', 'week')).toMatchObject({ code: 2 });
    expect((await epsilon(control, 'cost', '--tenant', 'nobody')).err).toContain('TENANT_NOT_FOUND');
  });

  it('executions, describe and history tell what happened', async () => {
    const list = await epsilon(control, 'executions');
    expect(list).toMatchObject({ code: 0 });
    for (const word of ['nightly-training', 'acme-2026-11-24', 'SUCCEEDED', 'FAILED'])
      expect(list.out).toContain(word);
    const json = await epsilon(control, '--json', 'executions', '--status', 'failed');
    expect(json.json()).toMatchObject({
      schemaVersion: 1,
      executions: expect.arrayContaining([
        expect.objectContaining({ name: 'poison-2026-11-24', status: 'FAILED' }),
      ]),
    });
    const one = await epsilon(control, 'describe', 'poison-2026-11-24', '--json');
    expect(one.json()).toMatchObject({
      execution: { error: 'JobRejected', cause: 'too few documents' },
      attempts: [
        { stage: 'prepare', attempt: 1, status: 'rejected', backend: 'local', error: 'JobRejected' },
      ],
    });
    expect(one.out).not.toContain('oken');
    const shown = await epsilon(control, 'describe', 'poison-2026-11-24');
    expect(shown.out).toMatch(/ATTEMPT.*\n\s*prepare 1\s+rejected/);
    const history = await epsilon(control, 'history', 'tenant-model-training/acme-2026-11-24');
    expect(history.out).toMatch(/Z {2}PrepareTrainingData begins\n/);
    expect(history.out).toContain(
      'PrepareTrainingData calls the function submitStage and waits for the answer of its job',
    );
    const failed = await epsilon(control, 'history', 'tenant-model-training/poison-2026-11-24');
    expect(failed.out).toContain('PrepareTrainingData failed: JobRejected: too few documents');
  });

  it('describe of a night lists its tenants, those that failed first, with attempts and reasons', async () => {
    const [night] = await control.workflows.list({ machine: 'nightly-training', limit: 1 });
    const shown = await epsilon(control, 'describe', `nightly-training/${night?.name}`);
    expect(shown.out).toMatch(/TENANT.*OUTCOME.*\n\s*poison\s+failed.*\n\s*acme\s+succeeded/);
    expect(shown.out).toMatch(/poison: JobRejected: .*too few documents/);
    expect(shown.out).toMatch(/poison\s+prepare 1\s+rejected/);
    expect(shown.out).toContain('poison prepare 1: JobRejected: too few documents');
    const json = await epsilon(control, 'describe', `nightly-training/${night?.name}`, '--json');
    expect(json.json()).toMatchObject({
      tenants: [
        { tenantId: 'poison', status: 'failed', attempts: [{ stage: 'prepare', status: 'rejected' }] },
        { tenantId: 'acme', status: 'succeeded', attempts: [] },
      ],
    });
  });

  it('a history never shows a task token', async () => {
    const events = await Array.fromAsync(
      control.workflows.history(
        (await control.workflows.list({ machine: 'tenant-model-training', limit: 1 }))[0]?.executionArn ?? '',
      ),
    );
    expect(JSON.stringify(events)).toMatch(/taskToken\\*":\\*"[A-Za-z0-9_-]{20,}/);
    for (const args of [
      ['history', 'acme-2026-11-24'],
      ['history', 'acme-2026-11-24', '--json'],
    ]) {
      const { out } = await epsilon(control, ...args);
      expect(out).not.toMatch(/taskToken\\*":\\*"[A-Za-z0-9_-]{20,}/);
    }
  });

  it.each([
    [['describe', 'nothing'], 'EXECUTION_NOT_FOUND', 2],
    [['redrive', 'acme-2026-11-24'], 'REDRIVE_NOT_ALLOWED', 3],
    [['run', 'no-machine'], 'MACHINE_NOT_FOUND', 2],
    [['run', 'nightly-training', '--name', 'a b'], 'RUN_NAME_INVALID', 2],
    [['run', 'nightly-training', '--input', '{'], 'INPUT_INVALID', 2],
    [['run', 'tenant-model-training', '--tenant', 'nobody'], 'TENANT_NOT_FOUND', 2],
    [['run', 'tenant-model-training', '--tenant', '../x'], 'TENANT_ID_INVALID', 2],
    [['tenants', 'show', 'nobody'], 'TENANT_NOT_FOUND', 2],
    [['tenants', 'remove', 'acme'], 'CONFIRM_REQUIRED', 2],
    [['tenants', 'add', 'acme', '--documents', '.'], 'TENANT_EXISTS', 3],
    [['tenants', 'add', 'Acme', '--documents', '.'], 'TENANT_ID_INVALID', 2],
    [['tenants', 'add', 'beta', '--documents', '/nowhere'], 'DOCUMENTS_NOT_FOUND', 2],
    [['tenants', 'add', 'beta', '--documents', '.', '--model-type', 'magic'], 'MODEL_TYPE_UNKNOWN', 2],
    [['tenants', 'add', 'beta', '--documents', '.', '--workload', 'refrence'], 'WORKLOAD_UNKNOWN', 2],
    [['tenants', 'add', 'beta', '--documents', '.', '--epochs', '0'], 'USAGE', 2],
    [['tenants', 'add', 'beta', '--documents', '.', '--option', 'dimensions'], 'USAGE', 2],
    [['tenants', 'add', 'beta', '--documents', '.', '--option', 'dimension=8'], 'TRAINING_OPTION_UNKNOWN', 2],
    [
      ['tenants', 'add', 'beta', '--documents', '.', '--option', 'dimensions=1'],
      'TRAINING_OPTION_INVALID',
      2,
    ],
    [['tenants', 'add', 'beta', '--documents', '.', '--priority', '101'], 'TENANT_INVALID', 2],
    [['tenants', 'add', 'beta', '--documents', '.', '--backend', 'eks'], 'TENANT_INVALID', 2],
    [['models', 'rollback', 'acme'], 'MODEL_NO_PREVIOUS', 3],
    [['models', 'promote', 'acme', 'v9'], 'MODEL_NOT_FOUND', 2],
    [['query', '--tenant', 'poison', 'x'], 'MODEL_NOT_LIVE', 2],
    [['query', '--tenant', 'nobody', 'x'], 'TENANT_NOT_FOUND', 2],
    [['query', '--tenant', 'acme', 'x', '-k', '0'], 'USAGE', 2],
    [['logs', 'nothing'], 'RUN_NOT_FOUND', 2],
    [['logs', 'acme-2026-11-24', '--stage', 'nope'], 'USAGE', 2],
    [['schedules', 'fire', 'nothing'], 'SCHEDULE_NOT_FOUND', 2],
    [['schedules', 'pause', 'nothing'], 'SCHEDULE_NOT_FOUND', 2],
    [['schedules', 'resume', 'nothing'], 'SCHEDULE_NOT_FOUND', 2],
    [['schedules', 'fire', 'nightly-training', '--at', 'soon'], 'DATE_OUT_OF_RANGE', 2],
    [['demo', '--tenants', '99'], 'USAGE', 2],
    [['demo', '--retry-scale', '7'], 'USAGE', 2],
  ])('%j is refused with %s, exit %i, and no stack trace', async (args, code, exit) => {
    const ran = await epsilon(control, ...args);
    expect(ran.err).toMatch(new RegExp(`^error ${code}: `));
    expect(ran.code).toBe(exit);
    expect(ran.err).not.toContain('    at ');
    const json = await epsilon(control, ...args, '--json');
    expect(JSON.parse(json.err)).toMatchObject({ schemaVersion: 1, error: { code } });
  });

  it('tenants are added, shown, suspended, resumed and removed', async () => {
    const folder = freshDir();
    writeFileSync(join(folder, 'a.md'), 'text');
    expect(
      await epsilon(control, 'tenants', 'add', 'gamma', '--documents', folder, '--max-tokens', '500'),
    ).toMatchObject({ code: 0, out: expect.stringContaining('gamma added') });
    expect((await epsilon(control, 'tenants', 'show', 'gamma', '--json')).json()).toMatchObject({
      tenant: { limits: { maxTokens: 500 }, documentsUri: `file://${folder}` },
    });
    await epsilon(control, 'tenants', 'suspend', 'gamma');
    expect(await epsilon(control, 'run', 'tenant-model-training', '--tenant', 'gamma')).toMatchObject({
      code: 2,
      err: expect.stringContaining('TENANT_SUSPENDED'),
    });
    expect(await epsilon(control, 'tenants', 'resume', 'gamma')).toMatchObject({ code: 0 });
    expect((await epsilon(control, 'tenants', 'list')).out).toContain('gamma');
    expect(await epsilon(control, 'tenants', 'remove', 'gamma', '--yes')).toMatchObject({ code: 0 });
    expect((await epsilon(control, 'tenants', 'list')).out).not.toContain('gamma');
  });

  it('models are listed, promoted again and rolled back under a larger fence', async () => {
    const { executionArn } = await control.workflows.start({
      machine: 'tenant-model-training',
      name: 'acme-again',
      input: { tenantId: 'acme' },
    });
    await night.until(executionArn);
    const before = await control.models.live('acme');
    expect((await epsilon(control, 'models', 'list', 'acme')).out).toMatch(/live[\s\S]*previous/);
    expect(await epsilon(control, 'models', 'rollback', 'acme')).toMatchObject({ code: 0 });
    await night.settle();
    const after = await control.models.live('acme');
    expect(after).toMatchObject({
      modelVersion: before?.previousVersion,
      previousVersion: before?.modelVersion,
      reason: 'rollback',
    });
    expect(after?.fence).toBeGreaterThan(before?.fence ?? 0);
    expect(await epsilon(control, 'models', 'rollback', 'acme')).toMatchObject({
      code: 3,
      err: expect.stringContaining('error MODEL_ROLLED_BACK'),
    });
    expect(await control.models.live('acme')).toEqual(after);
    expect(await night.runtime.ports.leases.get('acme')).toBeUndefined();
  });

  it('schedules are paused and resumed, which the list shows', async () => {
    const paused = await epsilon(control, 'schedules', 'pause', 'nightly-training');
    expect(paused.out).toContain('until "epsilon schedules resume nightly-training"');
    const list = await epsilon(control, 'schedules', 'list');
    expect(list.out).toMatch(/nightly-training\s+cron\(0 2 \* \* \? \*\)\s+UTC\s+paused/);
    const resumed = await epsilon(control, 'schedules', 'resume', 'nightly-training', '--json');
    expect(resumed.json()).toMatchObject({ schedule: { enabled: true, paused: false } });
  });

  it('schedules list shows the next times', async () => {
    expect((await epsilon(control, 'schedules', 'list')).out).toMatch(
      /nightly-training\s+cron\(0 2 \* \* \? \*\)\s+UTC\s+on\s+2026-11-2\dT02:00/,
    );
  });
});

describe('asl', () => {
  const file = (value: unknown) => {
    const path = join(freshDir(), 'file.json');
    writeFileSync(path, JSON.stringify(value));
    return path;
  };
  const task = {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: 'f' },
    Retry: [{ ErrorEquals: ['Flaky'], IntervalSeconds: 3600 }],
    Next: 'W',
  };
  const definition = file({
    QueryLanguage: 'JSONata',
    StartAt: 'T',
    States: { T: task, W: { Type: 'Wait', Seconds: 86400, End: true } },
  });
  const mocks = file({
    StateMachines: { m: { TestCases: { Happy: { T: 'Sometimes' }, Sad: { T: 'Never' } } } },
    MockedResponses: {
      Sometimes: { '0-1': { Throw: { Error: 'Flaky', Cause: 'c' } }, '2': { Return: { Payload: 1 } } },
      Never: { '0': { Throw: { Error: 'Broken', Cause: 'c' } } },
    },
  });

  it("runs any file under virtual time with Step Functions Local's mocks", async () => {
    const ran = await epsilon(undefined, 'asl', 'run', definition, '--mocks', mocks, '--json');
    expect(ran.code).toBe(0);
    const { status, output, history } = ran.json() as unknown as {
      status: string;
      output: unknown;
      history: { type: string; timestamp: string }[];
    };
    expect({ status, output }).toEqual({ status: 'SUCCEEDED', output: { Payload: 1 } });
    expect(history.filter((event) => event.type === 'TaskFailed')).toHaveLength(2);
    expect(Date.parse(history.at(-1)?.timestamp ?? '')).toBeGreaterThan(86_400_000);
  });

  it('exits 1 when the machine fails, and takes the test case that is named', async () => {
    expect(
      await epsilon(undefined, 'asl', 'run', definition, '--mocks', mocks, '--test-case', 'Sad'),
    ).toMatchObject({ code: 1, err: expect.stringContaining('Broken') });
    expect(
      await epsilon(undefined, 'asl', 'run', definition, '--mocks', mocks, '--test-case', 'None'),
    ).toMatchObject({ code: 2, err: expect.stringContaining('MOCKS_INVALID') });
    expect(await epsilon(undefined, 'asl', 'run', definition, '--mocks', definition)).toMatchObject({
      code: 2,
      err: expect.stringContaining('MOCKS_INVALID'),
    });
  });

  it('validate lists every fault of a file', async () => {
    expect(await epsilon(undefined, 'asl', 'validate', definition)).toMatchObject({ code: 0 });
    const bad = await epsilon(
      undefined,
      'asl',
      'validate',
      file({ QueryLanguage: 'JSONPath', StartAt: 'X', States: { A: { Type: 'Nope', Output: 1 } } }),
    );
    expect(bad.code).toBe(2);
    for (const word of ['ASL_INVALID', 'ASL_UNSUPPORTED', 'StartAt', 'States.A.Type'])
      expect(bad.err).toContain(word);
    expect(await epsilon(undefined, 'asl', 'validate', '/nowhere.json')).toMatchObject({
      code: 2,
      err: expect.stringContaining('ASL_UNREADABLE'),
    });
  });

  it.each(['nightly-training', 'tenant-model-training'])(
    'validates statemachines/%s.asl.json as it stands',
    async (name) => {
      expect(await epsilon(undefined, 'asl', 'validate', `statemachines/${name}.asl.json`)).toMatchObject({
        code: 0,
      });
    },
  );
});

describe('the process', () => {
  const run = promisify(execFile);
  const call = (...args: string[]) =>
    run(process.execPath, [resolve('cli/epsilon.js'), ...args], { cwd: tmpdir() }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );

  it('validates the service from any folder', async () => {
    expect(await call('validate')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${machines.length} state machines`),
    });
  });

  it('exits 2 with one line for an unknown command', async () => {
    const { code, stderr } = await call('strat');
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean start?');
    expect(stderr.trim().split('\n').length).toBeLessThan(5);
  });

  it('says where there is nothing to read', async () => {
    expect(await call('executions', '--state-dir', join(tmpdir(), 'epsilon-nothing-here'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('STATE_DIR_ABSENT'),
    });
  });
});
