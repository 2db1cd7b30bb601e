import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createStepFunctionsWorkflows } from '../../../../lib/aws/stepfunctions/workflows.ts';

const sfn = mockClient(SFNClient);
const location = { partition: 'aws', accountId: '123456789012', region: 'us-west-2', environment: 'dev' };
const workflows = createStepFunctionsWorkflows({ client: new SFNClient({ region: 'us-west-2' }), location });
const base = 'arn:aws:states:us-west-2:123456789012';
const machineArn = `${base}:stateMachine:epsilon-dev-tenant-model-training`;
const executionArn = `${base}:execution:epsilon-dev-tenant-model-training:acme-1`;
const startDate = new Date('2026-11-24T02:00:00Z');
const failing = (name: string, attempts = 1) =>
  Object.assign(new Error(`${name} says the service`), { name, $metadata: { attempts } });
const inputs = <T>(calls: readonly { readonly args: readonly { readonly input: T }[] }[]) =>
  calls.map((call) => call.args[0]?.input);

afterEach(() => sfn.reset());

describe('executions in Step Functions', () => {
  it('executions are started through the alias, under the requested name', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn, startDate });
    expect(
      await workflows.start({
        machine: 'tenant-model-training',
        name: 'acme-1',
        input: { tenantId: 'acme' },
      }),
    ).toEqual({ executionArn });
    expect(inputs(sfn.commandCalls(StartExecutionCommand))).toEqual([
      { stateMachineArn: `${machineArn}:live`, name: 'acme-1', input: '{"tenantId":"acme"}' },
    ]);
  });

  it('a start whose answer was lost finds its execution, and only that one', async () => {
    sfn.on(StartExecutionCommand).rejects(failing('ExecutionAlreadyExists', 2));
    sfn.on(DescribeExecutionCommand).resolves({ executionArn, input: '{"tenantId":"acme"}', startDate });
    const start = (input: unknown) =>
      workflows.start({ machine: 'tenant-model-training', name: 'acme-1', input });
    expect(await start({ tenantId: 'acme' })).toEqual({ executionArn });
    await expect(start({ tenantId: 'other' })).rejects.toMatchObject({ code: 'EXECUTION_ALREADY_EXISTS' });
    sfn.on(StartExecutionCommand).rejects(failing('ExecutionAlreadyExists', 1));
    await expect(start({ tenantId: 'acme' })).rejects.toMatchObject({ code: 'EXECUTION_ALREADY_EXISTS' });
  });

  it('executions are described by machine/name or ARN, with input and output as JSON', async () => {
    sfn.on(DescribeExecutionCommand).resolves({
      executionArn,
      stateMachineArn: machineArn,
      name: 'acme-1',
      status: 'FAILED',
      startDate,
      stopDate: startDate,
      input: '{"tenantId":"acme"}',
      error: 'JobFailed',
      cause: 'exit 1',
      redriveCount: 2,
      redriveStatus: 'REDRIVABLE',
    });
    expect(await workflows.describe('tenant-model-training/acme-1')).toEqual({
      executionArn,
      machine: 'tenant-model-training',
      name: 'acme-1',
      status: 'FAILED',
      startDate: '2026-11-24T02:00:00.000Z',
      stopDate: '2026-11-24T02:00:00.000Z',
      redriveCount: 2,
      input: { tenantId: 'acme' },
      error: 'JobFailed',
      cause: 'exit 1',
      redriveStatus: 'REDRIVABLE',
    });
    await workflows.describe(executionArn);
    expect(inputs(sfn.commandCalls(DescribeExecutionCommand))).toEqual([{ executionArn }, { executionArn }]);
  });

  it("executions are listed over all of Epsilon's machines and pages, newest first, up to the limit", async () => {
    sfn
      .on(ListStateMachinesCommand)
      .resolvesOnce({
        stateMachines: [
          {
            name: 'epsilon-dev-nightly-training',
            stateMachineArn: '',
            type: 'STANDARD',
            creationDate: startDate,
          },
          { name: 'epsilon-prod-other', stateMachineArn: '', type: 'STANDARD', creationDate: startDate },
        ],
        nextToken: 'next',
      })
      .resolves({
        stateMachines: [
          {
            name: 'epsilon-dev-tenant-model-training',
            stateMachineArn: '',
            type: 'STANDARD',
            creationDate: startDate,
          },
        ],
      });
    const item = (machine: string, name: string, hour: number) => ({
      executionArn: `${base}:execution:epsilon-dev-${machine}:${name}`,
      stateMachineArn: `${base}:stateMachine:epsilon-dev-${machine}`,
      name,
      status: 'FAILED' as const,
      startDate: new Date(Date.UTC(2026, 10, 24, hour)),
    });
    const nightly = { stateMachineArn: `${base}:stateMachine:epsilon-dev-nightly-training` };
    sfn
      .on(ListExecutionsCommand, { stateMachineArn: machineArn })
      .resolvesOnce({ executions: [item('tenant-model-training', 'c', 3)], nextToken: 'more' })
      .resolves({ executions: [item('tenant-model-training', 'a', 1)] });
    sfn.on(ListExecutionsCommand, nightly).resolves({ executions: [item('nightly-training', 'b', 2)] });
    const found = await workflows.list({ status: 'FAILED', limit: 2 });
    expect(found.map(({ machine, name }) => `${machine}/${name}`)).toEqual([
      'tenant-model-training/c',
      'nightly-training/b',
    ]);
    expect(inputs(sfn.commandCalls(ListExecutionsCommand))).toEqual(
      expect.arrayContaining([
        { stateMachineArn: machineArn, maxResults: 2, statusFilter: 'FAILED' },
        { stateMachineArn: machineArn, maxResults: 1, statusFilter: 'FAILED', nextToken: 'more' },
      ]),
    );
  });

  it('a history spans all pages and never shows a task token', async () => {
    const parameters = JSON.stringify({ Payload: { taskToken: 'AAAAsecretAAAA', run: 'r' } });
    sfn
      .on(GetExecutionHistoryCommand)
      .resolvesOnce({
        events: [
          {
            id: 1,
            type: 'ExecutionStarted',
            timestamp: startDate,
            executionStartedEventDetails: { input: '{}' },
          },
        ],
        nextToken: 'more',
      })
      .resolves({
        events: [
          {
            id: 2,
            previousEventId: 1,
            type: 'TaskScheduled',
            timestamp: startDate,
            taskScheduledEventDetails: {
              resourceType: 'lambda',
              resource: 'invoke',
              region: 'r',
              parameters,
            },
          },
        ],
      });
    const events = await Array.fromAsync(workflows.history('tenant-model-training/acme-1'));
    expect(events.map(({ id, previousEventId, type }) => [id, previousEventId, type])).toEqual([
      [1, 0, 'ExecutionStarted'],
      [2, 1, 'TaskScheduled'],
    ]);
    expect(JSON.stringify(events)).not.toContain('AAAAsecretAAAA');
    expect(JSON.stringify(events)).toContain('(redacted)');
    expect(inputs(sfn.commandCalls(GetExecutionHistoryCommand))[1]).toEqual({
      executionArn,
      maxResults: 1_000,
      includeExecutionData: true,
      nextToken: 'more',
    });
  });

  it('F24: executions are redriven under the same ARN, and stopped with error and cause', async () => {
    await workflows.redrive('tenant-model-training/acme-1');
    await workflows.stop(executionArn, { error: 'Stopped', cause: 'by hand' });
    expect(inputs(sfn.commandCalls(RedriveExecutionCommand))).toEqual([{ executionArn }]);
    expect(inputs(sfn.commandCalls(StopExecutionCommand))).toEqual([
      { executionArn, error: 'Stopped', cause: 'by hand' },
    ]);
  });

  it.each([
    ['StateMachineDoesNotExist', { code: 'MACHINE_NOT_FOUND' }],
    ['ResourceNotFound', { code: 'MACHINE_NOT_FOUND', message: expect.stringContaining('has no alias yet') }],
    ['StateMachineDeleting', { code: 'MACHINE_NOT_FOUND' }],
    ['InvalidName', { code: 'RUN_NAME_INVALID' }],
    ['InvalidExecutionInput', { code: 'INPUT_INVALID' }],
    ['ExecutionLimitExceeded', { name: 'Throttled' }],
    ['ThrottlingException', { name: 'Throttled', retryable: true }],
    ['TimeoutError', { name: 'TimeoutError' }],
    ['AccessDeniedException', { code: 'AWS_ACCESS_DENIED', details: { action: 'states:StartExecution' } }],
  ])('a start reports %s with a code of its own', async (name, told) => {
    sfn.on(StartExecutionCommand).rejects(failing(name));
    await expect(workflows.start({ machine: 'm', input: {} })).rejects.toMatchObject(told);
  });

  it.each([
    ['ExecutionDoesNotExist', { code: 'EXECUTION_NOT_FOUND' }],
    ['InvalidArn', { code: 'EXECUTION_NOT_FOUND' }],
    [
      'ExecutionNotRedrivable',
      {
        code: 'REDRIVE_NOT_ALLOWED',
        exitCode: 3,
        message: `Execution "${executionArn}" cannot be redriven: ExecutionNotRedrivable says the service.`,
      },
    ],
  ])('F25: a redrive reports %s with a code of its own', async (name, told) => {
    sfn.on(RedriveExecutionCommand).rejects(failing(name));
    await expect(workflows.redrive(executionArn)).rejects.toMatchObject(told);
  });
});
