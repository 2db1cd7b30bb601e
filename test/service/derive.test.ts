import { describe, expect, it } from 'vitest';
import type { Declared, Resource } from '../../infra/serverless/plugin/declared.ts';
import { derive } from '../../infra/serverless/plugin/derive.ts';
import { at, list, type Resource as TemplateResource } from './template.ts';

const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

const rule = (...targets: object[]): Resource => ({
  Type: 'AWS::Events::Rule',
  Properties: { Targets: targets.map((Arn) => ({ Arn, RoleArn: arn('RulesRole') })) },
});

const schedule = (Arn: object): Resource => ({
  Type: 'AWS::Scheduler::Schedule',
  Properties: { Target: { Arn } },
});

const machine = (id: string) => ({ id, name: `made-${id}` });

/** A service of a few functions and machines; `tenant-model-training` is there because training's alarms watch it. */
function declare(over: Partial<Declared> = {}): Declared {
  return {
    prefix: 'epsilon-made',
    environment: 'made',
    successTarget: 0.9,
    functions: { plain: {}, called: {}, timed: { cluster: 'job-keepers' } },
    machines: {
      'tenant-model-training': machine('TenantModelTraining'),
      hourly: machine('Hourly'),
      asked: machine('Asked'),
    },
    statements: { plain: [], called: [], timed: [], 'tenant-model-training': [], hourly: [], asked: [] },
    resources: {
      CalledRule: rule(arn('CalledLambdaFunction'), { Ref: 'AlertsTopicArn' }),
      AskedRule: rule({ Ref: 'AskedLiveAlias' }),
      TimedSchedule: schedule(arn('TimedLambdaFunction')),
      HourlySchedule: schedule({ Ref: 'HourlyLiveAlias' }),
    },
    ...over,
  };
}

const resourcesOf = (over: Partial<Declared> = {}) =>
  derive(declare(over)).resources as unknown as Readonly<Record<string, TemplateResource>>;

const actionsIn = (resource: TemplateResource | undefined) =>
  list(resource?.Properties['Policies']).flatMap((policy) =>
    list(at(policy, 'PolicyDocument', 'Statement')).flatMap((one) => list(at(one, 'Action'))),
  );

const named = (resources: object, pattern: RegExp) =>
  Object.keys(resources)
    .filter((id) => pattern.test(id))
    .sort();

describe('derived resources', () => {
  it('hold a log and a role for every function and machine', () => {
    const resources = resourcesOf();
    for (const kind of ['LogGroup', 'Role']) {
      for (const id of ['Plain', 'Called', 'Timed', 'TenantModelTraining', 'Hourly', 'Asked'])
        expect(resources, id + kind).toHaveProperty([id + kind]);
    }
  });

  it('let a rule invoke the functions it targets, and start a machine through a role', () => {
    const resources = resourcesOf();
    expect(named(resources, /Permission$/)).toEqual(['CalledPermission']);
    expect(resources['CalledPermission']?.Properties).toMatchObject({
      FunctionName: arn('CalledLambdaFunction'),
      SourceArn: arn('CalledRule'),
    });
    expect(actionsIn(resources['RulesRole'])).toEqual(['states:StartExecution']);
  });

  it('let a rule invoke each of several functions', () => {
    const resources = resourcesOf({
      resources: { BothRule: rule(arn('PlainLambdaFunction'), arn('CalledLambdaFunction')) },
    });
    const invoked = named(resources, /Permission$/).map((id) => resources[id]?.Properties['FunctionName']);
    expect(invoked).toEqual([arn('CalledLambdaFunction'), arn('PlainLambdaFunction')]);
  });

  it('say once that the scheduler may start what several schedules start', () => {
    const again = { ...declare().resources, AgainSchedule: schedule({ Ref: 'HourlyLiveAlias' }) };
    expect(actionsIn(resourcesOf({ resources: again })['SchedulerRole'])).toEqual(
      actionsIn(resourcesOf()['SchedulerRole']),
    );
  });

  it('have no role for rules when no rule starts a machine', () => {
    const { AskedRule: _, ...others } = declare().resources;
    expect(resourcesOf({ resources: others })).not.toHaveProperty(['RulesRole']);
  });

  it('let the scheduler start what schedules target, a machine only through its alias', () => {
    const statements = list(
      at(resourcesOf()['SchedulerRole']?.Properties, 'Policies', 0, 'PolicyDocument', 'Statement'),
    );
    expect(statements.slice(0, 2)).toEqual([
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arn('TimedLambdaFunction') },
      {
        Effect: 'Allow',
        Action: 'states:StartExecution',
        Resource: { Ref: 'Hourly' },
        Condition: { 'ForAnyValue:StringEquals': { 'states:StateMachineQualifier': 'live' } },
      },
    ]);
  });

  it('give the failure queue to functions that events start, and to no other', () => {
    const { functions, resources } = derive(declare());
    expect(Object.keys(functions).filter((key) => functions[key]?.['destinations'])).toEqual([
      'called',
      'timed',
    ]);
    const made = resources as unknown as Record<string, TemplateResource>;
    expect(actionsIn(made['CalledRole'])).toContain('sqs:SendMessage');
    expect(actionsIn(made['PlainRole'])).not.toContain('sqs:SendMessage');
    expect(
      at(made['FailedInvocationsPolicy']?.Properties, 'PolicyDocument', 'Statement', 0, 'Principal', 'AWS'),
    ).toEqual([arn('CalledRole'), arn('TimedRole')]);
  });

  it('let nobody send to the failure queue when no event starts a function', () => {
    const { resources } = derive(declare({ resources: {} }));
    const policy = resources['FailedInvocationsPolicy'] as unknown as TemplateResource;
    const statements = list(at(policy.Properties, 'PolicyDocument', 'Statement'));
    expect(statements.map((one) => at(one, 'Effect'))).toEqual(['Deny']);
  });

  it('put a function on the cluster only where there is one', () => {
    const cluster = { vpc: { subnetIds: ['s'] }, policies: { network: [{ Effect: 'Allow' }] } };
    expect(derive(declare()).functions['timed']).not.toHaveProperty('vpc');
    const { functions, resources } = derive(declare({ cluster }));
    expect(functions['timed']).toHaveProperty('vpc', cluster.vpc);
    expect(functions['plain']).not.toHaveProperty('vpc');
    expect(named(resources, /Access$/)).toEqual(['TimedAccess']);
    const names = (id: string) =>
      list((resources[id] as unknown as TemplateResource).Properties['Policies']).map((one) =>
        at(one, 'PolicyName'),
      );
    expect(names('TimedRole')).toEqual(['timed', 'network']);
    expect(names('PlainRole')).toEqual(['plain']);
  });

  it('let functions that work with jobs of the cluster reach an Airflow, and no others', () => {
    const airflow = { airflow: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue' }] };
    const { resources } = derive(declare({ airflow }));
    const having = Object.entries(resources).filter(([, one]) =>
      JSON.stringify(one).includes('GetSecretValue'),
    );
    expect(having.map(([id]) => id)).toEqual(['TimedRole']);
  });

  it('watch each failure of a machine that a schedule or rule starts, and many failures of one that is not scheduled', () => {
    expect(named(resourcesOf(), /(Failed|Failing)Alarm$/)).toEqual([
      'AskedFailedAlarm',
      'AskedFailingAlarm',
      'HourlyFailedAlarm',
      // Of capacity, by the catalogue of alerts.
      'LaunchesFailedAlarm',
      'TenantModelTrainingFailingAlarm',
      'TerminationsFailedAlarm',
    ]);
  });

  it('move every alias back when a function or a machine that is not scheduled fails', () => {
    for (const id of ['HourlyLiveAlias', 'AskedLiveAlias'])
      expect(list(at(resourcesOf()[id]?.Properties, 'DeploymentPreference', 'Alarms'))).toEqual(
        expect.arrayContaining([
          { Ref: 'AskedFailingAlarm' },
          { Ref: 'HandlerFaultsAlarm' },
          { Ref: 'EventFunctionErrorsAlarm' },
        ]),
      );
  });

  it.each([
    [10, ['FunctionThrottlesAlarm']],
    [11, ['FunctionThrottles2Alarm', 'FunctionThrottlesAlarm']],
    [25, ['FunctionThrottles2Alarm', 'FunctionThrottles3Alarm', 'FunctionThrottlesAlarm']],
  ])('sum at most ten metrics in an alarm: %i functions', (count, expected) => {
    const keys = Array.from({ length: count }, (_, index) => `made${index}`);
    const resources = resourcesOf({
      functions: Object.fromEntries(keys.map((key) => [key, {}])),
      statements: { ...declare().statements, ...Object.fromEntries(keys.map((key) => [key, []])) },
      machines: {
        ...declare().machines,
        plain: machine('Plain'),
        called: machine('Called'),
        timed: machine('Timed'),
      },
      resources: {},
    });
    const alarms = named(resources, /^FunctionThrottles\d*Alarm$/);
    expect(alarms).toEqual(expected);
    const watched = alarms.map((id) => list(resources[id]?.Properties['Metrics']).length - 1);
    expect(Math.max(...watched)).toBeLessThanOrEqual(10);
    expect(watched.reduce((sum, one) => sum + one, 0)).toBe(count);
  });

  it.each<[string, Partial<Declared>, RegExp]>([
    ['a function without statements', { functions: { ...declare().functions, fresh: {} } }, /"fresh".*\[\]/],
    ['statements of nothing', { statements: { ...declare().statements, gone: [] } }, /"gone"/],
    [
      'a resource that is derived',
      {
        resources: { ...declare().resources, PlainLogGroup: { Type: 'AWS::Logs::LogGroup', Properties: {} } },
      },
      /"PlainLogGroup" is derived/,
    ],
    [
      'two keys with one logical id',
      {
        functions: { ...declare().functions, made: {}, Made: {} },
        statements: { ...declare().statements, made: [], Made: [] },
      },
      /"MadeRole" follows twice/,
    ],
    [
      'a function and a machine with one key',
      {
        functions: { ...declare().functions, asked: {} },
        machines: { ...declare().machines, asked: machine('Other') },
      },
      /"asked" is a function and a state machine/,
    ],
    [
      'a target in a form that no right is derived from',
      { resources: { ...declare().resources, MadeRule: rule({ 'Fn::Sub': '${PlainLambdaFunction.Arn}' }) } },
      /MadeRule: its target/,
    ],
    [
      'two rules whose permissions would have one name',
      {
        resources: {
          MadeRule: rule(arn('PlainLambdaFunction'), arn('CalledLambdaFunction')),
          Made2Rule: rule(arn('PlainLambdaFunction')),
        },
      },
      /Made2Permission/,
    ],
    [
      'a start past the alias',
      { resources: { ...declare().resources, MadeSchedule: schedule({ Ref: 'Hourly' }) } },
      /MadeSchedule: .*!Ref HourlyLiveAlias/,
    ],
    [
      'a rule that starts a machine without a role',
      {
        resources: {
          ...declare().resources,
          MadeRule: {
            Type: 'AWS::Events::Rule',
            Properties: { Targets: [{ Arn: { Ref: 'HourlyLiveAlias' } }] },
          },
        },
      },
      /MadeRule: .*RulesRole/,
    ],
  ])('refuse %s', (_, over, said) => {
    expect(() => derive(declare(over))).toThrow(said);
  });
});
