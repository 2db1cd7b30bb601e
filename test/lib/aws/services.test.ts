import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createEventPublisher } from '../../../lib/aws/eventbridge/event-publisher.ts';
import { createTaskCallbacks } from '../../../lib/aws/stepfunctions/task-callbacks.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';

const sfn = mockClient(SFNClient);
const bus = mockClient(EventBridgeClient);
const named = (name: string) => Object.assign(new Error(name), { name });

afterEach(() => {
  sfn.reset();
  bus.reset();
});

describe('task callbacks', () => {
  const callbacks = createTaskCallbacks({ client: new SFNClient({ region: 'us-west-2' }) });

  it('task callbacks send exactly what the port says, within the lengths of the service', async () => {
    expect(await callbacks.succeed('token', { n: 1 })).toBe('delivered');
    expect(await callbacks.fail('token', { error: 'JobFailed', cause: 'x'.repeat(40_000) })).toBe(
      'delivered',
    );
    expect(await callbacks.heartbeat('token')).toBe('delivered');
    expect(sfn.commandCalls(SendTaskSuccessCommand)[0]?.args[0].input).toEqual({
      taskToken: 'token',
      output: '{"n":1}',
    });
    expect(sfn.commandCalls(SendTaskFailureCommand)[0]?.args[0].input).toEqual({
      taskToken: 'token',
      error: 'JobFailed',
      cause: 'x'.repeat(32_768),
    });
    expect(sfn.commandCalls(SendTaskHeartbeatCommand)[0]?.args[0].input).toEqual({ taskToken: 'token' });
  });

  it.each(['TaskTimedOut', 'InvalidToken', 'TaskDoesNotExist'])('call %s gone', async (name) => {
    sfn.on(SendTaskSuccessCommand).rejects(named(name));
    expect(await callbacks.succeed('token', {})).toBe('gone');
  });

  it.each([
    ['ThrottlingException', { name: 'Throttled', retryable: true }],
    ['AccessDeniedException', { code: 'AWS_ACCESS_DENIED', details: { action: 'states:SendTaskSuccess' } }],
    ['TimeoutError', { name: 'TimeoutError' }],
  ])('task callbacks report %s with a code of their own, without the token', async (name, told) => {
    sfn.on(SendTaskSuccessCommand).rejects(named(name));
    const failed = callbacks.succeed('the-secret-token', {});
    await expect(failed).rejects.toMatchObject(told);
    await expect(failed).rejects.not.toMatchObject({ message: expect.stringContaining('the-secret-token') });
  });
});

describe('the event publisher', () => {
  const event = (n: number) =>
    ({ source: 'epsilon.training', detailType: 'Run State Change', detail: { n } }) as const;
  const publisher = (clock: VirtualClock) =>
    createEventPublisher({
      client: new EventBridgeClient({ region: 'us-west-2' }),
      bus: 'epsilon-dev',
      clock,
      random: () => 1,
    });

  it('the event publisher sends ten entries a call', async () => {
    bus.on(PutEventsCommand).callsFake((input: { Entries: unknown[] }) => ({
      Entries: input.Entries.map(() => ({ EventId: 'e' })),
    }));
    await publisher(new VirtualClock(0)).publish(Array.from({ length: 23 }, (_, n) => event(n)));
    expect(bus.commandCalls(PutEventsCommand).map((call) => call.args[0].input.Entries?.length)).toEqual([
      10, 10, 3,
    ]);
    expect(bus.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries?.[0]).toEqual({
      EventBusName: 'epsilon-dev',
      Source: 'epsilon.training',
      DetailType: 'Run State Change',
      Detail: '{"n":0}',
    });
  });

  it('F49: the event publisher sends only refused entries again, each time after a longer pause', async () => {
    const clock = new VirtualClock(0);
    const times: number[] = [];
    bus.on(PutEventsCommand).callsFake((input: { Entries: { Detail: string }[] }) => {
      times.push(clock.now());
      const last = times.length >= 3;
      return {
        Entries: input.Entries.map(({ Detail }) =>
          Detail === '{"n":1}' && !last ? { ErrorCode: 'InternalFailure' } : { EventId: 'e' },
        ),
      };
    });
    const done = publisher(clock).publish([event(0), event(1), event(2)]);
    await clock.advance(1_000);
    await done;
    expect(times).toEqual([0, 100, 300]);
    expect(
      bus
        .commandCalls(PutEventsCommand)
        .map((call) => call.args[0].input.Entries?.map((entry) => entry.Detail)),
    ).toEqual([['{"n":0}', '{"n":1}', '{"n":2}'], ['{"n":1}'], ['{"n":1}']]);
  });

  it('the event publisher says which events were not accepted in the end', async () => {
    const clock = new VirtualClock(0);
    bus.on(PutEventsCommand).resolves({ Entries: [{ ErrorCode: 'ThrottlingException' }] });
    const done = expect(publisher(clock).publish([event(0)])).rejects.toMatchObject({
      code: 'EVENTS_NOT_ACCEPTED',
      message: expect.stringContaining('ThrottlingException'),
    });
    await clock.advance(60_000);
    await done;
    expect(bus.calls()).toHaveLength(5);
  });
});
