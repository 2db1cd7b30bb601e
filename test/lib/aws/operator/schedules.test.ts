import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetScheduleCommand,
  ListSchedulesCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSchedules } from '../../../../lib/aws/operator/schedules.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { parseSchedule } from '../../../../local/schedule/expression.ts';
import { fillInput } from '../../../../local/schedule/schedule-input.ts';
import { sequentialIds } from '../../../fixtures/sequential-ids.ts';

const scheduler = mockClient(SchedulerClient);
const states = mockClient(SFNClient);
const functions = mockClient(LambdaClient);
const region = { region: 'us-west-2' };
const machine = 'arn:aws:states:us-west-2:123456789012:stateMachine:epsilon-dev-nightly-training';
const lambda = 'arn:aws:lambda:us-west-2:123456789012:function:epsilon-dev-reconcileJobs';
const failing = (name: string) => Object.assign(new Error(name), { name });

const schedules = () =>
  createSchedules({
    scheduler: new SchedulerClient(region),
    states: new SFNClient(region),
    functions: new LambdaClient(region),
    environment: 'dev',
    rules: { parse: parseSchedule, fillInput },
    clock: new VirtualClock(Date.parse('2026-11-24T12:00:00Z')),
    ids: sequentialIds('T'),
  });

const nightly = {
  Name: 'epsilon-dev-nightly-training',
  Arn: 'arn:aws:scheduler:us-west-2:123456789012:schedule/default/epsilon-dev-nightly-training',
  ScheduleExpression: 'cron(0 2 * * ? *)',
  ScheduleExpressionTimezone: 'UTC',
  State: 'ENABLED' as const,
  Target: {
    Arn: `${machine}:live`,
    RoleArn: 'r',
    Input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}',
  },
};

beforeEach(() => {
  scheduler
    .on(ListSchedulesCommand)
    .resolvesOnce({
      Schedules: [{ Name: 'epsilon-dev-reconcile-jobs', GroupName: 'default' }],
      NextToken: 'more',
    })
    .resolves({ Schedules: [{ Name: 'epsilon-dev-nightly-training', GroupName: 'default' }] });
  scheduler.on(GetScheduleCommand, { Name: 'epsilon-dev-nightly-training' }).resolves(nightly);
  scheduler.on(GetScheduleCommand, { Name: 'epsilon-dev-reconcile-jobs' }).resolves({
    Name: 'epsilon-dev-reconcile-jobs',
    ScheduleExpression: 'rate(1 minute)',
    CreationDate: new Date('2026-11-24T11:00:30Z'),
    State: 'DISABLED',
    Target: { Arn: lambda, RoleArn: 'r', Input: '{}' },
  });
});

afterEach(() => {
  scheduler.reset();
  states.reset();
  functions.reset();
});

describe('the schedules of an environment', () => {
  it('schedules are listed over all pages with next and previous times; a rate counts from its creation', async () => {
    expect(await schedules().list()).toEqual([
      {
        name: 'nightly-training',
        expression: 'cron(0 2 * * ? *)',
        timezone: 'UTC',
        enabled: true,
        paused: false,
        next: '2026-11-25T02:00:00.000Z',
        previous: '2026-11-24T02:00:00.000Z',
      },
      {
        name: 'reconcile-jobs',
        expression: 'rate(1 minute)',
        timezone: 'UTC',
        enabled: false,
        paused: true,
        previous: '2026-11-24T11:59:30.000Z',
      },
    ]);
    expect(scheduler.commandCalls(ListSchedulesCommand).map((call) => call.args[0].input)).toEqual([
      { NamePrefix: 'epsilon-dev-' },
      { NamePrefix: 'epsilon-dev-', NextToken: 'more' },
    ]);
  });

  it.each([`${machine}:live`, machine])(
    'fired, one starts %s through the alias with its own input',
    async (Arn) => {
      scheduler
        .on(GetScheduleCommand, { Name: 'epsilon-dev-nightly-training' })
        .resolves({ ...nightly, Target: { ...nightly.Target, Arn } });
      await schedules().fire('nightly-training', '2026-11-24T02:00:00.000Z');
      expect(states.commandCalls(StartExecutionCommand).map((call) => call.args[0].input)).toEqual([
        {
          stateMachineArn: `${machine}:live`,
          name: expect.stringMatching(/^fired-/),
          input: '{"scheduledTime":"2026-11-24T02:00:00Z"}',
        },
      ]);
    },
  );

  it('a schedule of a function that is fired calls it, without waiting for its end', async () => {
    await schedules().fire('reconcile-jobs', '2026-11-24T02:00:00.000Z');
    expect(functions.commandCalls(InvokeCommand).map((call) => call.args[0].input)).toEqual([
      { FunctionName: lambda, InvocationType: 'Event', Payload: Buffer.from('{}') },
    ]);
  });

  it('paused and resumed, one keeps everything else that is set', async () => {
    const settings = {
      Name: nightly.Name,
      GroupName: 'default',
      Description: 'Trains',
      ScheduleExpression: nightly.ScheduleExpression,
      ScheduleExpressionTimezone: 'UTC',
      KmsKeyArn: 'arn:aws:kms:us-west-2:123456789012:key/k',
      Target: {
        ...nightly.Target,
        RetryPolicy: { MaximumRetryAttempts: 185 },
        DeadLetterConfig: { Arn: 'q' },
      },
      FlexibleTimeWindow: { Mode: 'OFF' as const },
      ActionAfterCompletion: 'NONE' as const,
    };
    const described = { ...settings, Arn: nightly.Arn, CreationDate: new Date(0), State: 'ENABLED' as const };
    scheduler.on(GetScheduleCommand, { Name: nightly.Name }).resolves(described);
    scheduler.on(UpdateScheduleCommand).resolves({});
    await schedules().resume('nightly-training');
    expect(scheduler.commandCalls(UpdateScheduleCommand)).toHaveLength(0);
    await schedules().pause('nightly-training');
    scheduler.on(GetScheduleCommand, { Name: nightly.Name }).resolves({ ...described, State: 'DISABLED' });
    await schedules().pause('nightly-training');
    await schedules().resume('nightly-training');
    expect(scheduler.commandCalls(UpdateScheduleCommand).map((call) => call.args[0].input)).toEqual([
      { ...settings, State: 'DISABLED' },
      { ...settings, State: 'ENABLED' },
    ]);
    await expect(schedules().pause('nightly')).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' });
  });

  it('one that is described incompletely is not paused: an update would set back the rest', async () => {
    await expect(schedules().pause('nightly-training')).rejects.toMatchObject({ code: 'AWS_ANSWER_UNKNOWN' });
    expect(scheduler.commandCalls(UpdateScheduleCommand)).toHaveLength(0);
  });

  it('SCHEDULE_NOT_FOUND names the existing schedules', async () => {
    await expect(schedules().fire('nightly', '2026-11-24T02:00:00Z')).rejects.toMatchObject({
      code: 'SCHEDULE_NOT_FOUND',
      message: 'There is no schedule "nightly" in dev (nightly-training, reconcile-jobs).',
    });
    scheduler.on(GetScheduleCommand).rejects(failing('ResourceNotFoundException'));
    await expect(schedules().fire('nightly-training', '2026-11-24T02:00:00Z')).rejects.toMatchObject({
      code: 'SCHEDULE_NOT_FOUND',
    });
  });

  it('a schedule with a target of another kind is refused, and nothing is done', async () => {
    scheduler
      .on(GetScheduleCommand)
      .resolves({ ...nightly, Target: { Arn: 'arn:aws:sqs:us-west-2:1:q', RoleArn: 'r' } });
    await expect(schedules().fire('nightly-training', '2026-11-24T02:00:00Z')).rejects.toMatchObject({
      code: 'SCHEDULE_TARGET_UNKNOWN',
    });
  });

  it.each([
    ['ThrottlingException', { name: 'Throttled' }],
    ['AccessDeniedException', { code: 'AWS_ACCESS_DENIED', details: { action: 'scheduler:ListSchedules' } }],
    ['TimeoutError', { name: 'TimeoutError' }],
  ])('schedules report %s with a code of their own', async (name, told) => {
    scheduler.on(ListSchedulesCommand).rejects(failing(name));
    await expect(schedules().list()).rejects.toMatchObject(told);
  });

  it('F1: a start whose answer was lost is repeated by the SDK under the same name', async () => {
    states.on(StartExecutionCommand).rejects(failing('StateMachineDoesNotExist'));
    await expect(schedules().fire('nightly-training', '2026-11-24T02:00:00Z')).rejects.toMatchObject({
      code: 'MACHINE_NOT_FOUND',
    });
  });
});
