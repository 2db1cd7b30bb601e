import { functionIds } from '../../../lib/config/logical-ids.ts';
import {
  arnOf,
  type Declared,
  eventFunctions,
  type Resource,
  type Resources,
  type Tree,
} from './declared.ts';

/** Logical ids of the queues, which every alarm and policy below is about. */
export const queueIds = ['EventsDeadLetters', 'FailedInvocations'] as const;

function queue(name: string): Resource {
  return {
    Type: 'AWS::SQS::Queue',
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    // Two weeks, the most that SQS keeps.
    Properties: { QueueName: name, SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 },
  };
}

function policy(id: (typeof queueIds)[number], senders: readonly Tree[]): Resource {
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: id }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          ...senders.map((sender) => {
            const { Principal, ...others } = sender;
            return { Effect: 'Allow', Principal, Action: 'sqs:SendMessage', Resource: arnOf(id), ...others };
          }),
          {
            Effect: 'Deny',
            Principal: '*',
            Action: 'sqs:*',
            Resource: arnOf(id),
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    },
  };
}

/**
 * Where events go that could not be delivered (`EventsDeadLetters`: targets of rules and schedules), and invocations that
 * a function could not finish, with its answer (`FailedInvocations`): two weeks, encrypted, TLS only, and each takes
 * messages only from those that send to it.
 */
export function queues(declared: Declared): Resources {
  const rules = Object.entries(declared.resources)
    .filter(([, { Type: type }]) => type === 'AWS::Events::Rule')
    .map(([id]) => id);
  const functions = eventFunctions(declared);
  const sources = { ArnEquals: { 'aws:SourceArn': rules.map(arnOf) } };
  const senders = functions.map((key) => arnOf(functionIds(key).role));
  return {
    EventsDeadLetters: queue(`${declared.prefix}-events-dead-letters`),
    EventsDeadLettersPolicy: policy('EventsDeadLetters', [
      ...(rules.length > 0 ? [{ Principal: { Service: 'events.amazonaws.com' }, Condition: sources }] : []),
      { Principal: { AWS: arnOf('SchedulerRole') } },
    ]),
    FailedInvocations: queue(`${declared.prefix}-failed-invocations`),
    FailedInvocationsPolicy: policy(
      'FailedInvocations',
      senders.length > 0 ? [{ Principal: { AWS: senders } }] : [],
    ),
  };
}
