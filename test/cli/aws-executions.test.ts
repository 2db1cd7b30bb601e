import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  RedriveExecutionCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { GetParametersCommand } from '@aws-sdk/client-ssm';
import { beforeEach, describe, expect, it } from 'vitest';
import { anAttempt, aRun, aTenant } from '../fixtures/records.ts';
import {
  begun,
  deployedEnvironment,
  execution,
  executionArn,
  failing,
  machineArn,
  sfn,
  ssm,
} from './aws-harness.ts';

const { epsilon, stores } = deployedEnvironment();

describe('--target aws: executions', () => {
  beforeEach(() => stores().tenants.put(aTenant({ backend: 'batch' }), 0));

  it('run starts through the alias, shows progress, and ends with the outcome', async () => {
    sfn
      .on(DescribeExecutionCommand)
      .resolvesOnce(execution({ status: 'RUNNING' }))
      .resolves(execution());
    const ran = await epsilon(['run', 'tenant-model-training', '--tenant', 'acme', '--name', 'acme-1']);
    expect(ran).toMatchObject({ code: 0, err: '', out: 'tenant-model-training/acme-1 SUCCEEDED\n' });
    expect(sfn.commandCalls(StartExecutionCommand)[0]?.args[0].input).toEqual({
      stateMachineArn: `${machineArn}:live`,
      name: 'acme-1',
      input: '{"tenantId":"acme"}',
    });
  });

  it('a failed one says how to go on, with everything it takes to get there', async () => {
    sfn
      .on(DescribeExecutionCommand)
      .resolves(execution({ status: 'FAILED', error: 'JobFailed', cause: 'exit 1' }));
    const ran = await epsilon([
      'run',
      'tenant-model-training',
      '--tenant',
      'acme',
      '--region',
      'us-west-2',
      '--profile',
      'p',
    ]);
    expect(ran).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'epsilon --target aws --environment dev --region us-west-2 --profile p redrive tenant-model-training/acme-1',
      ),
    });
  });

  it('Ctrl-C ends the watching, not the work', async () => {
    const stop = new AbortController();
    sfn.on(DescribeExecutionCommand).callsFake(() => {
      stop.abort();
      return execution({ status: 'RUNNING' });
    });
    const ran = await epsilon(['run', 'tenant-model-training', '--tenant', 'acme'], { signal: stop.signal });
    expect(ran).toMatchObject({
      code: 130,
      err: 'error INTERRUPTED: Stopped. Nothing is lost: acme-1 goes on without being watched; see it with: epsilon --target aws --environment dev describe tenant-model-training/acme-1\n',
    });
    expect(sfn.commandCalls(StopExecutionCommand)).toHaveLength(0);
  });

  it('F24: redrive continues the same execution', async () => {
    const ran = await epsilon(['redrive', 'tenant-model-training/acme-1']);
    expect(ran).toMatchObject({ code: 0, out: 'tenant-model-training/acme-1 SUCCEEDED\n' });
    expect(sfn.commandCalls(RedriveExecutionCommand)[0]?.args[0].input).toEqual({ executionArn });
    expect(sfn.commandCalls(StartExecutionCommand)).toHaveLength(0);
  });

  it('F25: what cannot be redriven is refused with the reason and the command for a new run', async () => {
    const reason = 'Execution is older than 14 days and cannot be redriven';
    sfn.on(RedriveExecutionCommand).rejects(failing('ExecutionNotRedrivable', reason));
    sfn
      .on(DescribeExecutionCommand)
      .resolves(execution({ input: '{"tenantId":"acme","logicalDate":"2026-11-24","nightArn":"n"}' }));
    const anew = `epsilon --target aws --environment dev run tenant-model-training --tenant acme --input '{"logicalDate":"2026-11-24"}'`;
    const ran = await epsilon(['redrive', 'tenant-model-training/acme-1']);
    expect(ran.code).toBe(3);
    expect(ran.err).toContain(reason);
    expect(ran.err).toContain(`Start a new run with: ${anew}`);
    const json = await epsilon(['redrive', 'tenant-model-training/acme-1', '--json']);
    expect(JSON.parse(json.err)).toMatchObject({
      error: { code: 'REDRIVE_NOT_ALLOWED', details: { newRun: anew } },
    });
  });

  it('stop stops with the reason', async () => {
    sfn.on(DescribeExecutionCommand).resolves(execution({ status: 'RUNNING' }));
    expect(await epsilon(['stop', 'tenant-model-training/acme-1', '--reason', 'wrong data'])).toMatchObject({
      code: 0,
    });
    expect(sfn.commandCalls(StopExecutionCommand)[0]?.args[0].input).toEqual({
      executionArn,
      error: 'Stopped',
      cause: 'wrong data',
    });
  });

  it('a history never shows a task token', async () => {
    const parameters = JSON.stringify({ Payload: { taskToken: 'AAAAsecretAAAA' } });
    sfn.on(GetExecutionHistoryCommand).resolves({
      events: [
        {
          id: 1,
          type: 'TaskScheduled',
          timestamp: begun,
          taskScheduledEventDetails: { resourceType: 'lambda', resource: 'invoke', region: 'r', parameters },
        },
      ],
    });
    for (const [args, shown] of [
      [['history', executionArn], 'A state calls lambda:invoke'],
      [['history', executionArn, '--json'], 'TaskScheduled'],
    ] as const) {
      const { code, out } = await epsilon(args);
      expect(code).toBe(0);
      expect(out).toContain(shown);
      expect(out).not.toContain('AAAAsecretAAAA');
    }
  });

  it('logs say which job left none', async () => {
    await stores().runs.createRun(aRun({ backend: 'batch', status: 'running' }));
    await stores().runs.createAttempt(anAttempt({ backend: 'local' }));
    const ran = await epsilon(['logs', 'acme-2026-11-24']);
    expect(ran).toMatchObject({ code: 0, out: '', err: expect.stringContaining('not on AWS') });
  });
});

describe('--target aws: backups', () => {
  const started = () => {
    const [call] = sfn.commandCalls(StartExecutionCommand);
    const { stateMachineArn, input } = call?.args[0].input ?? {};
    const [, , , region, , , machine] = stateMachineArn?.split(':') ?? [];
    return { region, machine, input: JSON.parse(input ?? 'null') as unknown };
  };

  it.each([
    ['backup run', 'us-west-2', 'epsilon-dev-backup', {}],
    // What restores stands in the other region, and nothing of the first one is asked for.
    ['drill', 'us-east-1', 'epsilon-dev-restore-drill', {}],
    ['restore --to newest', 'us-east-1', 'epsilon-dev-restore', { to: 'newest' }],
    [
      'restore --id restore-1 --approve d',
      'us-east-1',
      'epsilon-dev-restore',
      { id: 'restore-1', approve: 'd' },
    ],
  ])('%s starts its machine in %s', async (words, region, machine, input) => {
    if (region === 'us-east-1') ssm.on(GetParametersCommand).rejects(failing('the region is lost'));
    sfn.on(DescribeExecutionCommand).resolves(execution());
    expect(await epsilon(words.split(' '))).toMatchObject({ code: 0 });
    expect(started()).toEqual({ region, machine, input: { ...input, trigger: 'manual' } });
  });

  it.each([
    ['restore', 'USAGE'],
    ['restore --id restore-1', 'USAGE'],
    ['restore --to newest --into ./x', 'USAGE'],
    ['restore --to 2026-11-24T02:00:00', 'RESTORE_TIME_INVALID'],
    ['backup verify', 'USAGE'],
    ['backup prune', 'USAGE'],
  ])('%s is refused, and nothing is started', async (words, code) => {
    const ran = await epsilon(words.split(' '));
    expect(ran.code).not.toBe(0);
    expect(ran.err).toContain(`error ${code}`);
    expect(started().input).toBeNull();
  });

  it('backup list shows what could be restored, and why not', async () => {
    const point = { point: '2026-11-24T02:10:00.000Z', newest: null, faults: ['table: gone'], more: 0 };
    sfn.on(ListExecutionsCommand).resolves({
      executions: [
        { executionArn, name: 'a', stateMachineArn: machineArn, status: 'SUCCEEDED', startDate: begun },
      ],
    });
    sfn.on(DescribeExecutionCommand).resolves(execution({ output: JSON.stringify({ point }) }));
    const { out } = await epsilon(['backup', 'list']);
    expect(out).toMatch(/2026-11-24.*none.*table: gone/);
  });
});
