import { appended, created, type Edit } from './edits.ts';

const handler = `import { z } from 'zod';
import { awsDiary, type Wired } from '../../lib/handler/aws-parts.ts';
import { defineHandler } from '../../lib/handler/define-handler.ts';

const aws = [awsDiary] as const;

/** What is read of an event of AWS Health, or of the machine's own call. */
const input = z.object({ source: z.string().min(1) });

/** Notes in the diary what was heard of. */
export function createKeepDiary({ diary }: Pick<Wired<typeof aws>, 'diary'>) {
  return async ({ source }: z.output<typeof input>) => {
    await diary.write(source);
    return { outcome: 'written' };
  };
}

export const handler = defineHandler({ name: 'keepDiary', input, aws, create: createKeepDiary });
`;

const rule = `  HealthEventRule:
    Type: AWS::Events::Rule
    Properties:
      Description: AWS says that something of the account is unwell
      EventPattern:
        source: [aws.health]
        detail-type: [AWS Health Event]
      Targets:
        - Id: keepDiary
          Arn: !GetAtt KeepDiaryLambdaFunction.Arn
          RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 30 }
          DeadLetterConfig: { Arn: !GetAtt EventsDeadLetters.Arn }
`;

const event = {
  version: '0',
  id: '7bf73129-1428-4cd3-a780-95db273d1602',
  'detail-type': 'AWS Health Event',
  source: 'aws.health',
  account: '123456789012',
  time: '2026-11-24T02:00:00Z',
  region: 'us-west-2',
  resources: [],
  detail: { service: 'EC2', eventTypeCategory: 'issue', statusCode: 'open' },
};

const test = `import { expect, it } from 'vitest';
import { createKeepDiary, handler } from '../../../functions/upkeep/keep-diary.ts';

it('keepDiary: writes down where an event came from', async () => {
  const written: string[] = [];
  const keep = createKeepDiary({ diary: { write: async (entry) => void written.push(entry) } });
  expect(await keep({ source: 'aws.health' })).toEqual({ outcome: 'written' });
  expect(written).toEqual(['aws.health']);
});

it('keepDiary: is wired with the diary alone', async () => {
  expect(handler.aws).toHaveLength(1);
  expect(await handler.aws[0]?.()).toBeInstanceOf(Function);
});
`;

/** A function that a rule invokes and the machine of example-machine.ts calls. */
export const functionEdits: Readonly<Record<string, Edit>> = {
  'functions/upkeep/keep-diary.ts': created(handler),
  'infra/serverless/functions.yml': appended(`keepDiary:
  handler: functions/upkeep/keep-diary.handler
  timeout: 30
  maximumRetryAttempts: 2
  maximumEventAge: 3600
`),
  'infra/serverless/roles/upkeep.yml': appended(`keepDiary:
  - Effect: Allow
    Action: sns:Publish
    Resource: !Ref AlertsTopicArn
  # The topic is encrypted with the data key.
  - Effect: Allow
    Action: kms:GenerateDataKey
    Resource: !Ref DataKeyArn
`),
  'events/rules.yml': appended(rule),
  'events/samples/aws-health-event.json': created(`${JSON.stringify(event, null, 2)}\n`),
  'test/functions/upkeep/keep-diary.test.ts': created(test),
};
