import { ListExecutionsCommand, ListStateMachinesCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import type { ProgramDependencies } from '../../cli/program/program.ts';
import {
  deployedEnvironment,
  execution,
  executionArn,
  failing,
  machine,
  machineArn,
  sfn,
} from './aws-harness.ts';
import { call } from './harness.ts';

const { epsilon } = deployedEnvironment();

describe('--target aws: where it goes', () => {
  it('executions print the same document as on this host', async () => {
    sfn.on(ListExecutionsCommand).resolves({ executions: [] });
    sfn.on(ListExecutionsCommand, { stateMachineArn: machineArn }).resolves({ executions: [execution()] });
    const ran = await epsilon(['executions', '--json']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.json()).toEqual({
      schemaVersion: 1,
      executions: [
        {
          executionArn,
          machine: 'tenant-model-training',
          name: 'acme-1',
          status: 'SUCCEEDED',
          startDate: '2026-11-24T02:00:00.000Z',
          redriveCount: 0,
        },
      ],
    });
  });

  it('an environment that is not deployed says so, and how to', async () => {
    sfn.on(ListStateMachinesCommand).resolves({ stateMachines: [machine('epsilon-prod-nightly-training')] });
    sfn.on(StartExecutionCommand).rejects(failing('StateMachineDoesNotExist'));
    for (const args of [['executions'], ['run', 'nightly-training'], ['describe', 'x']])
      expect(await epsilon(args)).toMatchObject({
        code: 2,
        err: 'error MACHINE_NOT_FOUND: Environment dev is not deployed in us-west-2 of account 123456789012; deploy it with: npx serverless deploy --stage dev\n',
      });
  });

  it('a machine that it does not have is named beside those that it has', async () => {
    sfn.on(StartExecutionCommand).rejects(failing('StateMachineDoesNotExist'));
    sfn.on(ListExecutionsCommand).rejects(failing('StateMachineDoesNotExist'));
    for (const args of [
      ['run', 'nightly'],
      ['executions', '--machine', 'nightly'],
    ])
      expect(await epsilon(args)).toMatchObject({
        code: 2,
        err: expect.stringContaining(
          'There is no state machine "nightly" in dev (nightly-training, tenant-model-training).',
        ),
      });
  });

  it.each([
    [['executions', '--account', '999999999999'], 'WRONG_ACCOUNT', 2],
    [['executions', '--account', '99'], 'USAGE', 2],
    [['executions', '--environment', 'prd'], 'ENVIRONMENT_UNKNOWN', 2],
    [['executions', '--environment', 'local'], 'ENVIRONMENT_UNKNOWN', 2],
    [['executions', '--environment', 'staging'], 'SSM_PARAMETER_MISSING', 2],
    [['executions', '--region', 'eu-west-1'], 'ARN_MISMATCH', 2],
    [['executions', '--state-dir', 'x'], 'USAGE', 2],
    [['executions', '--limit', 'many'], 'USAGE', 2],
    [['executions', '--status', 'gone'], 'USAGE', 2],
    [['demo'], 'TARGET_UNSUPPORTED', 2],
    [['start'], 'TARGET_UNSUPPORTED', 2],
    [['asl', 'validate', 'x.json'], 'TARGET_UNSUPPORTED', 2],
    [['run', 'nightly-training', '--retry-scale', '0'], 'TARGET_UNSUPPORTED', 2],
    [['redrive', 'acme-1', '--retry-scale', '0'], 'TARGET_UNSUPPORTED', 2],
  ])('%j is refused with %s, exit %i, before anything is changed', async (args, code, exit) => {
    const ran = await epsilon(args);
    expect(ran.err).toMatch(new RegExp(`^error ${code}: `));
    expect(ran.code).toBe(exit);
    const json = await epsilon([...args, '--json']);
    expect(JSON.parse(json.err)).toMatchObject({ schemaVersion: 1, error: { code } });
    expect(sfn.commandCalls(StartExecutionCommand)).toHaveLength(0);
  });

  it('variables stand for options, options win, and local takes none of them', async () => {
    const variables = {
      EPSILON_TARGET: 'aws',
      EPSILON_ENVIRONMENT: 'prod',
      EPSILON_AWS_ACCOUNT_ID: '111111111111',
    };
    const seen: unknown[] = [];
    const open: ProgramDependencies['open'] = async (target) => {
      seen.push(target);
      throw new Error('seen');
    };
    await call({ variables, open }, ['executions']);
    await call({ variables, open }, [
      'executions',
      '--environment',
      'dev',
      '--profile',
      'p',
      '--region',
      'r',
    ]);
    await call({ variables, open }, ['executions', '--target', 'local']);
    expect(seen).toEqual([
      { kind: 'aws', environment: 'prod', account: '111111111111' },
      { kind: 'aws', environment: 'dev', region: 'r', profile: 'p', account: '111111111111' },
      { kind: 'local', stateDir: '.epsilon' },
    ]);
    expect(await call({}, ['executions', '--region', 'r'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--target aws'),
    });
    expect(await call({}, ['executions', '--target', 'moon'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('USAGE'),
    });
  });
});
