import { GetScheduleCommand, ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import {
  ListStateMachineAliasesCommand,
  ListStateMachinesCommand,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { GetParametersCommand } from '@aws-sdk/client-ssm';
import { describe, expect, it } from 'vitest';
import { ssmParameters } from '../../lib/config/ssm-parameters.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { aModel, aRun, aTenant } from '../fixtures/records.ts';
import { deployed, parametersOf } from '../lib/aws/operator/deployed.ts';
import { base, begun, deployedEnvironment, machine, scheduler, sfn, ssm } from './aws-harness.ts';

const { epsilon, stores } = deployedEnvironment();

describe('--target aws: the rest', () => {
  it('F29: promote takes the tenant’s lease with a larger fence, and gives it back', async () => {
    const model = (modelVersion: string) => aModel({ modelVersion });
    await stores().models.register(model('v1'));
    await stores().models.register(model('v2'));
    expect(await epsilon(['models', 'promote', 'acme', 'v1'])).toMatchObject({ code: 0 });
    const first = await stores().models.live('acme');
    expect(await epsilon(['models', 'promote', 'acme', 'v2'])).toMatchObject({ code: 0 });
    expect(await epsilon(['models', 'rollback', 'acme'])).toMatchObject({ code: 0 });
    const live = await stores().models.live('acme');
    expect(live).toMatchObject({ modelVersion: 'v1', previousVersion: 'v2', reason: 'rollback' });
    expect(live?.fence).toBeGreaterThan(first?.fence ?? 0);
    expect(await stores().leases.get('acme')).toBeUndefined();
    expect((await epsilon(['models', 'list', 'acme'])).out).toMatch(/v1\s+live/);
  });

  it('query says how to get a model, on AWS', async () => {
    await stores().tenants.put(aTenant({ tenantId: 'fresh', backend: 'batch' }), 0);
    expect(await epsilon(['query', '--tenant', 'fresh', 'what?'])).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        'epsilon --target aws --environment dev run tenant-model-training --tenant fresh',
      ),
    });
  });

  const declared = loadLocalService('.', {}).service;

  const schedules = (State: 'ENABLED' | 'DISABLED') => {
    const names = declared.schedules.map(({ name }) => `epsilon-dev-${name}`);
    scheduler.on(ListSchedulesCommand).resolves({ Schedules: names.map((Name) => ({ Name })) });
    for (const Name of names)
      scheduler.on(GetScheduleCommand, { Name }).resolves({
        Name,
        ScheduleExpression: 'cron(0 2 * * ? *)',
        State,
        Target: { Arn: `${base}:stateMachine:epsilon-dev-nightly-training:live`, RoleArn: 'r', Input: '{}' },
      });
  };

  it('schedules are listed with their times and fired', async () => {
    schedules('ENABLED');
    expect((await epsilon(['schedules', 'list'])).out).toMatch(
      /nightly-training\s+cron\(0 2 \* \* \? \*\)\s+UTC\s+on\s+2026-11-25T02:00/,
    );
    expect(
      await epsilon(['schedules', 'fire', 'nightly-training', '--at', '2026-11-24T02:00:00Z']),
    ).toMatchObject({ code: 0 });
    expect(sfn.commandCalls(StartExecutionCommand)).toHaveLength(1);
  });

  it('validate holds what is deployed against what is declared', async () => {
    schedules('ENABLED');
    sfn.on(ListStateMachinesCommand).resolves({
      stateMachines: declared.machines.map(({ key }) => machine(`epsilon-dev-${key}`)),
    });
    const everything = Object.fromEntries(ssmParameters.map(({ name }) => [name, 'x']));
    ssm.on(GetParametersCommand).callsFake(parametersOf({ ...everything, ...deployed }));
    sfn.on(ListStateMachineAliasesCommand).callsFake(({ stateMachineArn }: { stateMachineArn: string }) => ({
      stateMachineAliases: [{ stateMachineAliasArn: `${stateMachineArn}:live`, creationDate: begun }],
    }));
    // Whether Batch gives a job what credentials are lent by is known when a run has succeeded there.
    await stores().tenants.put(aTenant({ tenantId: 'fresh', backend: 'batch' }), 0);
    const before = await epsilon(['validate']);
    expect(before.code).toBe(4);
    expect(before.err).toContain('No job on Batch has got credentials yet');
    // Whoever asks for the bill of an account with another environment in it has to say whose it is.
    expect(before.err).not.toContain('holds prod');
    ssm
      .on(GetParametersCommand)
      .callsFake(({ Names }: { Names: string[] }) =>
        Names.some((name) => name.startsWith('/epsilon/prod/'))
          ? { Parameters: [{ Name: Names[0], Value: 'x' }] }
          : parametersOf({ ...everything, ...deployed })({ Names }),
      );
    expect((await epsilon(['validate'])).err).toContain(
      'This account holds prod, too, and its whole bill is taken for that of dev: set billing.scope to tagged',
    );
    ssm.on(GetParametersCommand).callsFake(parametersOf({ ...everything, ...deployed }));
    await stores().runs.createRun(
      aRun({ runId: 'fresh-1', tenantId: 'fresh', backend: 'batch', status: 'succeeded' }),
    );
    const ran = await epsilon(['validate']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain(
      `Deployed: dev in us-west-2 of account 123456789012: ${declared.machines.length} state machines with their alias`,
    );
  });

  it('validate lists what is missing, each in a sentence', async () => {
    schedules('DISABLED');
    sfn.on(ListStateMachinesCommand).resolves({ stateMachines: [machine('epsilon-dev-nightly-training')] });
    sfn.on(ListStateMachineAliasesCommand).resolves({ stateMachineAliases: [] });
    const ran = await epsilon(['validate', '--json']);
    expect(ran.code).toBe(4);
    const { error } = JSON.parse(ran.err) as { error: { code: string; details: { faults: string[] } } };
    expect(error.code).toBe('ENVIRONMENT_INCOMPLETE');
    expect(error.details.faults).toEqual(
      expect.arrayContaining([
        'State machine tenant-model-training is declared but not deployed.',
        'State machine nightly-training has no alias "live", so nothing can start it.',
        'Schedule nightly-training is disabled.',
        'SSM parameter /epsilon/dev/redis/endpoint does not exist.',
      ]),
    );
  });
});
