import { appended, created, type Edit, inserted, replaced } from './edits.ts';

const definition = {
  Comment: 'Every hour: notes that the hour has begun.',
  QueryLanguage: 'JSONata',
  StartAt: 'KeepDiary',
  TimeoutSeconds: 600,
  States: {
    KeepDiary: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: {
        FunctionName: { 'Fn::GetAtt': ['keepDiary', 'Arn'] },
        Payload: { source: 'hourly-upkeep' },
      },
      TimeoutSeconds: 60,
      Retry: [
        { ErrorEquals: ['Lambda.ServiceException'], IntervalSeconds: 2, MaxAttempts: 6, BackoffRate: 2 },
      ],
      End: true,
    },
  },
};

const schedule = `  HourlyUpkeepSchedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: epsilon-\${sls:stage}-hourly-upkeep
      Description: Notes that an hour has begun
      ScheduleExpression: rate(1 hour)
      FlexibleTimeWindow: { Mode: "OFF" }
      State: ENABLED
      KmsKeyArn: !Ref DataKeyArn
      Target:
        Arn: !Ref HourlyUpkeepLiveAlias
        RoleArn: !GetAtt SchedulerRole.Arn
        Input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}'
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 30 }
        DeadLetterConfig: { Arn: !GetAtt EventsDeadLetters.Arn }
`;

const entry = `import { z } from 'zod';
import type { Machine } from '../machines/machine.ts';

/** Notes that an hour has begun. */
export const hourlyUpkeep: Machine = {
  key: 'hourly-upkeep',
  summary: 'notes that an hour has begun',
  input: z.object({ scheduledTime: z.string().optional() }),
  check: () => {},
  startedBy: [{ schedule: 'hourly-upkeep' }],
  tenants: { tenant: 'unused' },
  manual: {},
  outcome: 'execution',
};

/** State machines of upkeep. */
export const upkeepMachines: readonly Machine[] = [hourlyUpkeep];
`;

const test = `import { expect, it } from 'vitest';
import { machineOf, payload, walk } from './machine-test.ts';

it('hourly-upkeep: writes and ends', async () => {
  const way = await walk(machineOf('hourly-upkeep'), {}, { KeepDiary: [payload({ outcome: 'written' })] });
  expect(way).toMatchObject({ status: 'SUCCEEDED', path: ['KeepDiary'] });
});
`;

const emptyArea = `import type { Machine } from '../machines/machine.ts';

/** State machines of upkeep. */
export const upkeepMachines: readonly Machine[] = [];
`;

/** An area without anything in it. */
export const areaEdits: Readonly<Record<string, Edit>> = {
  'lib/upkeep/machines.ts': created(emptyArea),
  'lib/machines/catalogue.ts': (text) =>
    replaced(
      '[\n  ...trainingMachines,\n',
      '[...trainingMachines, ...upkeepMachines, ',
    )(
      inserted({
        after: "import { trainingMachines } from '../training/machines.ts';\n",
        text: "import { upkeepMachines } from '../upkeep/machines.ts';\n",
      })(text),
    ),
  'infra/serverless/roles/upkeep.yml': created('# What the functions and state machines of upkeep may do.\n'),
  'serverless.yml': inserted({
    after: '    - ${file(infra/serverless/roles/training.yml)}\n',
    text: '    - ${file(infra/serverless/roles/upkeep.yml)}\n',
  }),
  'docs/architecture.md': appended('\nUpkeep: what has to be done every hour.\n'),
};

/** A machine that a schedule starts. */
export const machineEdits: Readonly<Record<string, Edit>> = {
  'statemachines/hourly-upkeep.asl.json': created(`${JSON.stringify(definition, null, 2)}\n`),
  'infra/serverless/state-machines.yml': appended(`hourly-upkeep:
  id: HourlyUpkeep
  name: epsilon-\${sls:stage}-hourly-upkeep
  definition: \${file(statemachines/hourly-upkeep.asl.json)}
`),
  'infra/serverless/roles/upkeep.yml': appended(`hourly-upkeep:
  - Effect: Allow
    Action: lambda:InvokeFunction
    Resource: !Sub \${KeepDiaryLambdaFunction.Arn}:*
`),
  'events/schedules.yml': appended(schedule),
  'lib/upkeep/machines.ts': replaced(emptyArea, entry),
  'test/statemachines/hourly-upkeep.test.ts': created(test),
  'docs/architecture.md': appended('`hourly-upkeep` notes that an hour has begun.\n'),
};
