import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { loadService } from '../../../local/declaration/service.ts';
import { changedFolder, sourcesOf, wholeFolder } from './made-service.ts';

const submitArn = 'arn:aws:lambda:local:000000000000:function:submitStage';
const trainingArn = 'arn:aws:states:local:000000000000:stateMachine:training';

describe('a service as declared', () => {
  const service = loadService(sourcesOf(wholeFolder));

  test('functions of the service have file, limits and environment', () => {
    expect([...service.functions.values()]).toEqual([
      {
        key: 'submitStage',
        file: join(wholeFolder, 'functions/training/submit-stage.ts'),
        exportName: 'handler',
        timeoutSeconds: 60,
        memoryMiB: 256,
        environment: {
          REGION: 'us-west-2',
          CONCURRENCY: '4',
          BUCKET: 'local:ssm:/made/bucket',
          QUEUE: 'local:DeadLetters',
          COLOUR: 'blue',
        },
      },
      expect.objectContaining({ key: 'settleRun', timeoutSeconds: 30, memoryMiB: 512 }),
    ]);
  });

  test('machines of the service have name, file and definition', () => {
    expect(service.machines).toEqual([
      {
        key: 'training',
        name: 'made-local-training',
        definitionFile: join('statemachines', 'training.asl.json'),
        definition: expect.objectContaining({ StartAt: 'SubmitStage' }),
      },
    ]);
  });

  test("schedules of the service have AWS's defaults where nothing is declared", () => {
    expect(service.schedules).toEqual([
      {
        name: 'nightly',
        expression: 'cron(0 2 * * ? *)',
        timezone: 'Europe/Berlin',
        startDate: new Date('2026-01-01T00:00:00Z'),
        enabled: false,
        input: '{"at":"<aws.scheduler.scheduled-time>"}',
        target: { kind: 'machine', key: 'training' },
        maximumEventAgeSeconds: 3600,
        maximumRetryAttempts: 2,
      },
      {
        name: 'SweepSchedule',
        expression: 'rate(1 minute)',
        timezone: 'UTC',
        enabled: true,
        input: '{}',
        target: { kind: 'function', key: 'settleRun' },
        maximumEventAgeSeconds: 86_400,
        maximumRetryAttempts: 185,
      },
    ]);
  });

  test('rules and targets are those that run locally, with local ARNs in their patterns', () => {
    expect(service.rules).toEqual([
      {
        name: 'FailedRule',
        enabled: true,
        pattern: { source: ['aws.states'], detail: { stateMachineArn: [trainingArn] } },
        targets: [
          {
            kind: 'function',
            key: 'settleRun',
            inputPath: '$.detail',
            maximumEventAgeSeconds: 86_400,
            maximumRetryAttempts: 5,
          },
        ],
      },
      {
        name: 'QueuedJobRule',
        enabled: true,
        // A value that only an account knows: no event of this host carries it.
        pattern: { detail: { jobQueue: ['local:QueueArn'] } },
        targets: [
          { kind: 'function', key: 'settleRun', maximumEventAgeSeconds: 86_400, maximumRetryAttempts: 185 },
        ],
      },
    ]);
  });

  test.each([
    ['a key', { 'Fn::GetAtt': ['submitStage', 'Arn'] }, submitArn],
    ['a logical id', { 'Fn::GetAtt': ['SubmitStageLambdaFunction', 'Arn'] }, submitArn],
    ['the dotted form', { 'Fn::GetAtt': 'SubmitStageLambdaFunction.Arn' }, submitArn],
    ['a machine id', { Ref: 'Training' }, trainingArn],
    ['a machine alias', { Ref: 'TrainingLiveAlias' }, trainingArn],
    ['a machine version', { Ref: 'TrainingVersion' }, trainingArn],
    [
      'a machine name in an ARN',
      {
        'Fn::Sub':
          'arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:made-local-training',
      },
      trainingArn,
    ],
    [
      'a function name in an ARN',
      { 'Fn::Sub': 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:made-local-submitStage' },
      submitArn,
    ],
    ['a name alone', { 'Fn::Sub': '${SubmitStageLambdaFunction.Arn}' }, submitArn],
    ['a name within text', { 'Fn::Sub': '${Training}:1' }, trainingArn],
    ['own names', { 'Fn::Sub': ['${x}-${!kept}', { x: 'a' }] }, 'a-${kept}'],
    ['the region', { Ref: 'AWS::Region' }, 'local'],
    ['nothing for what only an account knows', { 'Fn::GetAtt': ['DeadLetters', 'Arn'] }, undefined],
    ['nothing for text around it', { 'Fn::Sub': '${DeadLetters}-x' }, undefined],
  ])('an intrinsic resolves %s', (_, intrinsic, expected) => {
    expect(service.resolve(intrinsic)).toBe(expected);
  });

  test('the service of the repository resolves, every target and function included', () => {
    const own = loadService(sourcesOf(join(import.meta.dirname, '..', '..', '..')));
    expect(own.machines.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['nightly-training', 'tenant-model-training']),
    );
    expect(own.schedules.find(({ name }) => name === 'nightly-training')).toMatchObject({
      expression: 'cron(0 2 * * ? *)',
      target: { kind: 'machine', key: 'nightly-training' },
    });
    for (const { target } of own.schedules.filter(({ target: { kind } }) => kind === 'function'))
      expect(own.functions.has(target.key)).toBe(true);
  });
});

describe('a fault is told with file and key', () => {
  test.each([
    [
      'an alias of nothing',
      { 'events/rules.yml': ['StateMachineArn: !Ref Training', 'StateMachineArn: !Ref Trainig'] },
      'SERVICE_INVALID',
      ['events/rules.yml, Resources.TrainingLiveAlias: it refers to no state machine of this service'],
    ],
    [
      'a handler file that is not there',
      { 'functions/training/settle-run.ts': undefined },
      'SERVICE_INVALID',
      ['serverless.yml, functions.settleRun', 'functions/training/settle-run.ts'],
    ],
    [
      'a handler without export',
      { 'serverless.yml': ['settle-run.handler', 'settle-run'] },
      'SERVICE_INVALID',
      ['functions.settleRun', 'settle-run'],
    ],
    [
      'a timeout beyond Lambda',
      { 'serverless.yml': ['timeout: 60', 'timeout: 901'] },
      'SERVICE_INVALID',
      ['functions.submitStage', '901'],
    ],
    [
      'a definition file that is not there',
      { 'statemachines/training.asl.json': undefined },
      'SERVICE_INVALID',
      ['stateMachines.training.definition', 'statemachines/training.asl.json', 'no such file'],
    ],
    [
      'a definition that is not JSON',
      { 'statemachines/training.asl.json': '{"StartAt": ' },
      'SERVICE_INVALID',
      ['training.asl.json', 'line 1'],
    ],
    [
      'a machine with an unknown function',
      { 'statemachines/training.asl.json': ['submitStage', 'submitStag'] },
      'SERVICE_INVALID',
      [
        'training.asl.json, state machine training',
        '$.States.SubmitStage.Arguments.FunctionName',
        'submitStag',
      ],
    ],
    [
      'a schedule with an unknown target',
      { 'events/schedules.yml': ['!Ref Training', '!Ref Trainin'] },
      'SERVICE_INVALID',
      ['schedules.yml, Resources.NightlySchedule', 'target'],
    ],
    [
      'a rule with an unknown target',
      { 'events/rules.yml': ['!GetAtt SettleRunLambdaFunction.Arn', '!GetAtt SettlRunLambdaFunction.Arn'] },
      'SERVICE_INVALID',
      ['rules.yml, Resources.FailedRule.Targets[0]', 'SettlRunLambdaFunction'],
    ],
    [
      'a wrong cron expression',
      { 'events/schedules.yml': ['cron(0 2 * * ? *)', 'cron(0 2 * * *)'] },
      'SCHEDULE_INVALID',
      ['schedules.yml, Resources.NightlySchedule', 'cron(0 2 * * ? *)'],
    ],
    [
      'an unknown time zone',
      { 'events/schedules.yml': ['Europe/Berlin', 'Europe/Berlim'] },
      'TIMEZONE_UNKNOWN',
      ['Resources.NightlySchedule', 'Europe/Berlim'],
    ],
    [
      'a date that is none',
      { 'events/schedules.yml': ['"2026-01-01T00:00:00Z"', 'soon'] },
      'SERVICE_INVALID',
      ['Resources.NightlySchedule', 'StartDate'],
    ],
    [
      'a state that is none',
      { 'events/schedules.yml': ['DISABLED', 'OFF'] },
      'SERVICE_INVALID',
      ['Resources.NightlySchedule', 'OFF'],
    ],
    [
      'an input that is not JSON',
      { 'events/schedules.yml': ['\'{"at":"<', '\'{"at":<'] },
      'SERVICE_INVALID',
      ['Resources.NightlySchedule', 'Input'],
    ],
    [
      'retries beyond AWS',
      { 'events/schedules.yml': ['MaximumRetryAttempts: 2', 'MaximumRetryAttempts: 186'] },
      'SERVICE_INVALID',
      ['NightlySchedule.RetryPolicy', 'MaximumRetryAttempts'],
    ],
    [
      'a pattern nobody matches',
      { 'events/rules.yml': ['source: [aws.states]', 'source: [{ regex: a }]'] },
      'EVENT_PATTERN_UNSUPPORTED',
      ['rules.yml, Resources.FailedRule', 'regex'],
    ],
    [
      'an input path nobody follows',
      { 'events/rules.yml': ['$.detail', 'detail..x'] },
      'TARGET_INPUT_INVALID',
      ['FailedRule.Targets[0]', 'detail..x'],
    ],
    [
      'a logical id declared twice',
      { 'events/rules.yml': ['QueueOnlyRule', 'SweepSchedule'] },
      'SERVICE_INVALID',
      ['rules.yml, Resources.SweepSchedule', 'schedules.yml, Resources.SweepSchedule'],
    ],
    [
      'a file that is not there',
      { 'events/rules.yml': undefined },
      'SERVICE_INVALID',
      ['resources[1]', 'events/rules.yml'],
    ],
    [
      'a key written twice',
      { 'events/rules.yml': 'Resources:\n  A: {}\n  A: {}\n' },
      'SERVICE_INVALID',
      ['rules.yml', 'unique', 'line 3'],
    ],
    [
      'an unknown tag',
      { 'events/rules.yml': 'Resources:\n  A: !Reff B\n' },
      'SERVICE_INVALID',
      ['rules.yml', '!Reff', 'line 2'],
    ],
    [
      'a key that would change prototypes',
      { 'events/rules.yml': 'Resources:\n  __proto__: { admin: true }\n' },
      'SERVICE_INVALID',
      ['rules.yml', '__proto__', 'Resources'],
    ],
    [
      'a number that cannot be kept',
      { 'events/rules.yml': 'Resources:\n  A: 123456789012345678901\n' },
      'SERVICE_INVALID',
      ['rules.yml', 'Resources.A'],
    ],
    ['an empty service', { 'serverless.yml': '' }, 'SERVICE_INVALID', ['serverless.yml']],
  ] as const)('%s', (_, changes, code, words) => {
    const folder = changedFolder(changes);
    const attempt = () => loadService(sourcesOf(folder));
    expect(attempt).toThrow(EpsilonError);
    expect(attempt).toThrow(expect.objectContaining({ code }));
    for (const word of words) expect(attempt).toThrow(word);
  });

  test('a file that grows excessively when parsed is refused', () => {
    const lists = Array.from(
      { length: 9 },
      (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`,
    );
    const folder = changedFolder({ 'events/rules.yml': `l0: &l0 [x, x]\n${lists.join('\n')}\n` });
    expect(() => loadService(sourcesOf(folder))).toThrow(
      expect.objectContaining({ code: 'SERVICE_INVALID' }),
    );
    expect(() => loadService(sourcesOf(folder))).toThrow('alias');
  });

  test('several faults are reported together', () => {
    const folder = changedFolder({
      'functions/training/settle-run.ts': undefined,
      'events/schedules.yml': ['cron(0 2 * * ? *)', 'cron(0 2 * * *)'],
    });
    const attempt = () => loadService(sourcesOf(folder));
    expect(attempt).toThrow('functions.settleRun');
    expect(attempt).toThrow('Resources.NightlySchedule');
  });
});
