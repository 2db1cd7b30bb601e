import { created, type Edit, inserted } from './edits.ts';

const contract = `import { expect, it } from 'vitest';
import type { Diary } from '../../lib/ports/diary.ts';

/** What every Diary must do. */
export function describeDiary(name: string, make: () => { diary: Diary; entries: () => string[] }): void {
  it(\`Diary: \${name} keeps what is written, in order\`, async () => {
    const { diary, entries } = make();
    await diary.write('first');
    await diary.write('second');
    expect(entries()).toEqual(['first', 'second']);
  });
}
`;

const awsTest = `import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { createSnsDiary } from '../../../../lib/aws/sns/sns-diary.ts';
import { describeDiary } from '../../../contract/diary.ts';

describeDiary('SNS', () => {
  const sns = mockClient(SNSClient);
  const diary = createSnsDiary({ client: new SNSClient({ region: 'us-west-2' }), topicArn: 'arn' });
  const entries = () => sns.commandCalls(PublishCommand).map(({ args: [{ input }] }) => String(input.Message));
  return { diary, entries };
});
`;

const localTest = `import type { Log } from '../../../lib/ports/log.ts';
import { logDiary } from '../../../local/adapters/diary.ts';
import { describeDiary } from '../../contract/diary.ts';

describeDiary('the log', () => {
  const kept: string[] = [];
  const log = { info: (_: string, { entry }: { entry: string }) => kept.push(entry) } as unknown as Log;
  return { diary: logDiary(log), entries: () => kept };
});
`;

/** A port that keeps lines of text, on SNS and in the log. */
export const portEdits: Readonly<Record<string, Edit>> = {
  'lib/ports/diary.ts': created(`/** Keeps what happened, in order. */
export interface Diary {
  write(entry: string): Promise<void>;
}
`),
  'lib/ports/ports.ts': inserted(
    {
      after: "import type { Clock } from './clock.ts';\n",
      text: "import type { Diary } from './diary.ts';\n",
    },
    { after: '  readonly notifier: Notifier;\n', text: '  readonly diary: Diary;\n' },
  ),
  'lib/aws/sns/sns-diary.ts': created(`import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Diary } from '../../ports/diary.ts';

/** A diary that the subscribers of a topic read. */
export function createSnsDiary({ client, topicArn }: { client: SNSClient; topicArn: string }): Diary {
  return {
    write: async (entry) => {
      await client.send(new PublishCommand({ TopicArn: topicArn, Message: entry }));
    },
  };
}
`),
  'lib/aws/wiring/wire-diary.ts': created(`import { SNSClient } from '@aws-sdk/client-sns';
import { createSnsDiary } from '../sns/sns-diary.ts';
import type { AwsBase } from './base.ts';

/** The diary, on the alerts topic. */
export const wireDiary = ({ clients, deployment }: AwsBase) => ({
  diary: createSnsDiary({ client: clients.of(SNSClient), topicArn: deployment.alertsTopicArn }),
});
`),
  'lib/handler/aws-parts.ts': (text) =>
    `${text ?? ''}\n/** The diary, through SNS. */\nexport const awsDiary: AwsPart<Pick<Ports, 'diary'>> = async () =>\n  (await import('../aws/wiring/wire-diary.ts')).wireDiary;\n`,
  'local/adapters/diary.ts': created(`import type { Diary } from '../../lib/ports/diary.ts';
import type { Log } from '../../lib/ports/log.ts';

/** A diary in the log. */
export function logDiary(log: Log): Diary {
  return { write: async (entry) => log.info('diary', { entry }) };
}
`),
  'local/local-runtime.ts': inserted(
    {
      after: "import { workloadImages } from './adapters/workload-images.ts';\n",
      text: "import { logDiary } from './adapters/diary.ts';\n",
    },
    { after: '      notifier: this.#notifier,\n', text: '      diary: logDiary(log),\n' },
  ),
  'test/contract/diary.ts': created(contract),
  'test/lib/aws/sns/sns-diary.test.ts': created(awsTest),
  'test/local/adapters/diary.test.ts': created(localTest),
};
