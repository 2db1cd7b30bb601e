import { expect, it } from 'vitest';
import type { Packaged } from '../packaging.ts';
import { at, idIn, type Json, list, ofType, roleStatements, type Tree } from '../template.ts';

/** What carries events, and what happens to those that fail. */
export function checkEvents(packaged: () => Packaged): void {
  const template = () => packaged().template;
  const rules = () => ofType(template(), 'AWS::Events::Rule');
  const schedules = () => ofType(template(), 'AWS::Scheduler::Schedule');
  const targets = (): { id: string; target: Json }[] => [
    ...rules().flatMap(([id, { Properties: p }]) => list(p['Targets']).map((target) => ({ id, target }))),
    ...schedules().flatMap(([id, { Properties: p }]) => list(p['Target']).map((target) => ({ id, target }))),
  ];
  /** Functions that something invokes without waiting for the answer. */
  const asynchronous = () =>
    new Set(
      targets().flatMap(({ target }) =>
        idIn(at(target, 'Arn'))?.endsWith('LambdaFunction') ? [idIn(at(target, 'Arn')) ?? ''] : [],
      ),
    );

  it('gives every target of a rule or schedule a retry policy and a dead-letter queue', () => {
    expect(rules().length).toBeGreaterThanOrEqual(8);
    expect(schedules().length).toBeGreaterThanOrEqual(2);
    for (const { id, target } of targets()) {
      expect(at(target, 'RetryPolicy'), id).toBeDefined();
      expect(idIn(at(target, 'DeadLetterConfig', 'Arn')), id).toBe('EventsDeadLetters');
    }
  });

  it('encrypts schedules with the customer key', () => {
    for (const [id, { Properties: properties }] of schedules())
      expect(properties['KmsKeyArn'], id).toEqual({ Ref: 'DataKeyArn' });
  });

  it('hears of jobs, spot instances, executions, shards, promotions and the database', () => {
    const patterns = rules().map(
      ([, { Properties: p }]) =>
        `${String(at(p, 'EventPattern', 'source', 0))} ${String(at(p, 'EventPattern', 'detail-type', 0))}`,
    );
    const needed = [
      'aws.batch Batch Job State Change',
      'aws.ec2 EC2 Instance Rebalance Recommendation',
      'aws.ec2 EC2 Spot Instance Interruption Warning',
      'aws.rds RDS DB Instance Event',
      'aws.states Step Functions Execution Status Change',
      'epsilon.jobs Job State Change',
      'epsilon.training Model Promoted',
      'epsilon.training Reconcile Shard',
    ];
    expect(patterns).toEqual(expect.arrayContaining(needed));
  });

  it('lets exactly the rules that target a function invoke it', () => {
    const wanted = rules().flatMap(([id, { Properties: p }]) =>
      list(p['Targets']).flatMap((target) => {
        const called = idIn(at(target, 'Arn')) ?? '';
        return called.endsWith('LambdaFunction') ? [`${id} ${called}`] : [];
      }),
    );
    const permissions = ofType(template(), 'AWS::Lambda::Permission');
    const granted = permissions.flatMap(([id, { Properties: p }]) => {
      // The one function that is behind an API (test/service/suites/credentials.ts).
      if (id === 'CredentialsPermission') return [];
      expect(p['Principal']).toBe('events.amazonaws.com');
      return `${idIn(p['SourceArn'])} ${idIn(p['FunctionName'])}`;
    });
    expect(granted.sort()).toEqual(wanted.sort());
  });

  it('sends what a function gave up to a queue, after stated tries and within a stated time', () => {
    const configs = new Map(
      ofType(template(), 'AWS::Lambda::EventInvokeConfig').map(([, { Properties: p }]) => [
        idIn(p['FunctionName']),
        p,
      ]),
    );
    expect(asynchronous().size).toBeGreaterThanOrEqual(5);
    for (const id of asynchronous()) {
      const config: Tree = configs.get(id) ?? {};
      expect(idIn(at(config, 'DestinationConfig', 'OnFailure', 'Destination')), id).toBe('FailedInvocations');
      expect(config['MaximumRetryAttempts'], id).toBeDefined();
      expect(config['MaximumEventAgeInSeconds'], id).toBeDefined();
      const role = id.replace('LambdaFunction', 'Role');
      const sends = roleStatements(template(), role).some(
        ({ actions, resources }) =>
          actions.includes('sqs:SendMessage') && resources.some((one) => idIn(one) === 'FailedInvocations'),
      );
      expect(sends, `${role} may send to the queue`).toBe(true);
    }
    expect([...configs.keys()].sort()).toEqual([...asynchronous()].sort());
  });

  it('encrypts every queue, refuses plain HTTP and takes messages from its own sources only', () => {
    const policies = ofType(template(), 'AWS::SQS::QueuePolicy');
    for (const [id, { Properties: properties, DeletionPolicy: kept }] of ofType(
      template(),
      'AWS::SQS::Queue',
    )) {
      expect(properties['SqsManagedSseEnabled'], id).toBe(true);
      expect(kept, id).toBe('Retain');
      const policy = policies.find(([, { Properties: p }]) =>
        list(p['Queues']).some((queue) => idIn(queue) === id),
      );
      const statements = list(at(policy?.[1].Properties, 'PolicyDocument', 'Statement'));
      expect(
        statements.some(
          (one) =>
            at(one, 'Effect') === 'Deny' && at(one, 'Condition', 'Bool', 'aws:SecureTransport') === 'false',
        ),
        id,
      ).toBe(true);
      for (const statement of statements.filter((one) => at(one, 'Effect') === 'Allow')) {
        expect(at(statement, 'Principal'), id).not.toBe('*');
        const byService = at(statement, 'Principal', 'Service') !== undefined;
        if (byService)
          expect(list(at(statement, 'Condition', 'ArnEquals', 'aws:SourceArn')).length, id).toBeGreaterThan(
            0,
          );
      }
    }
    const sources = policies.flatMap(([, { Properties: p }]) =>
      list(at(p, 'PolicyDocument', 'Statement')).flatMap((one) =>
        list(at(one, 'Condition', 'ArnEquals', 'aws:SourceArn')).map(idIn),
      ),
    );
    expect(sources.sort()).toEqual(
      rules()
        .map(([id]) => id)
        .sort(),
    );
  });
}
