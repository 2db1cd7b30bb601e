import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { at, list, type Statement, statementsOf } from '../service/template.ts';
import { declaredStatements } from './table-rights.ts';

const roles = declaredStatements();
const statementsFor = (key: string) => statementsOf({ Statement: roles[key] ?? [] });
const page = (name: string) => readFileSync(`docs/${name}.md`, 'utf8').replaceAll(/\s+/g, ' ');

/** Rows of docs/rights.md: role to its actions. */
const rows = new Map(
  readFileSync('docs/rights.md', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, key, granted] = /^\| `([\w-]+)` +\| ([a-z0-9-]+: [^|]+|nothing else +)\|/.exec(line) ?? [];
      return key && granted ? [[key, granted.trim()] as const] : [];
    }),
);

/** `s3: GetObject, PutObject; sns: Publish` as actions. */
const actionsIn = (granted: string) =>
  (granted === 'nothing else' ? [] : granted.split('; ')).flatMap((group) => {
    const [service = '', names = ''] = group.split(': ');
    return names.split(', ').map((name) => `${service}:${name}`);
  });

type Holds = (statement: Statement) => boolean;

const onResources =
  (pattern: RegExp): Holds =>
  ({ resources }) =>
    resources.length > 0 && resources.every((one) => pattern.test(JSON.stringify(one)));

const under =
  (operator: string, key: string, pattern: RegExp): Holds =>
  ({ condition }) => {
    const values = list(at(condition, operator, key));
    return values.length > 0 && values.every((one) => pattern.test(JSON.stringify(one)));
  };

const purpose = under('StringEquals', 'kms:EncryptionContext:epsilon:purpose', /^"task-token"$/);
const clusters = /:cluster\/\*epsilon-[^/]*-batch-\*"/;

/** What a page says, word for word, and what must then hold of every statement that grants the action, in every role. */
const promises: readonly (readonly [page: string, says: string, action: string, holds: Holds])[] = [
  [
    'batch',
    '`batch:Image` = our repositories, by digest',
    'batch:RegisterJobDefinition',
    under('StringLike', 'batch:Image', /(DataPipeline|MlEngine|Deployer)Url\}?@sha256:\*"/),
  ],
  [
    'batch',
    '`batch:Privileged` = false',
    'batch:RegisterJobDefinition',
    under('Bool', 'batch:Privileged', /^"false"$/),
  ],
  [
    'batch',
    '`batch:RegisterJobDefinition` on those definitions',
    'batch:RegisterJobDefinition',
    onResources(/:job-definition\/epsilon-[^/]*-stage-\*"/),
  ],
  [
    'batch',
    "`iam:PassRole` on the definitions' roles to `ecs-tasks.amazonaws.com`",
    'iam:PassRole',
    // Besides the role of S3's own repair jobs, to S3.
    under('StringEquals', 'iam:PassedToService', /^"(ecs-tasks|batchoperations\.s3)\.amazonaws\.com"$/),
  ],
  ['batch', '`batch:TerminateJob` on `job/*`', 'batch:TerminateJob', onResources(/:job\/\*"/)],
  [
    'batch',
    '`ecs:ListContainerInstances` on `cluster/*epsilon-<env>-batch-*`',
    'ecs:ListContainerInstances',
    onResources(clusters),
  ],
  [
    'batch',
    '`ecs:ListTasks` and `ecs:DescribeTasks` with the condition `ecs:cluster` = those clusters',
    'ecs:ListTasks',
    under('ArnLike', 'ecs:cluster', clusters),
  ],
  [
    'batch',
    '`ecs:ListTasks` and `ecs:DescribeTasks` with the condition `ecs:cluster` = those clusters',
    'ecs:DescribeTasks',
    under('ArnLike', 'ecs:cluster', clusters),
  ],
  [
    'batch',
    '`ecs:DescribeContainerInstances` with the condition `ecs:cluster` = the clusters below',
    'ecs:DescribeContainerInstances',
    under('ArnLike', 'ecs:cluster', clusters),
  ],
  [
    'table',
    '`submitStage`, `reconcileJobs` and `askAct` need `kms:GenerateDataKey` and `kms:Decrypt` on it, `completeJob` needs `kms:Decrypt`',
    'kms:Decrypt',
    (statement) => purpose(statement) || !JSON.stringify(statement.resources).includes('TaskTokenKey'),
  ],
  ['rights', 'the bus, the alerts topic', 'events:PutEvents', onResources(/EventBus/)],
  ['rights', 'the bus, the alerts topic', 'sns:Publish', onResources(/AlertsTopicArn/)],
];

describe('docs/rights.md', () => {
  it('has every function and machine', () => {
    expect([...rows.keys()].sort()).toEqual(Object.keys(roles).sort());
  });

  it.each(Object.keys(roles))('%s: names the actions of its role, no more and no fewer', (key) => {
    const granted = new Set(statementsFor(key).flatMap(({ actions }) => actions));
    expect(actionsIn(rows.get(key) ?? '').sort()).toEqual([...granted].sort());
  });
});

describe('a promise of the pages about rights', () => {
  it.each(promises)('docs/%s.md: %s (%s)', (name, says, action, holds) => {
    expect(page(name)).toContain(says);
    const granting = Object.keys(roles).flatMap((key) =>
      statementsFor(key).filter(({ actions }) => actions.includes(action)),
    );
    expect(granting.length).toBeGreaterThan(0);
    for (const statement of granting) expect(holds(statement), JSON.stringify(statement)).toBe(true);
  });

  it('only functions that seal or answer tokens may use the token key', () => {
    const users = Object.keys(roles).filter((key) =>
      statementsFor(key).some(({ resources }) => JSON.stringify(resources).includes('TaskTokenKey')),
    );
    expect(users.sort()).toEqual([
      'askAct',
      'awaitConsumers',
      'completeJob',
      'holdRestore',
      'holdSnapshot',
      'reconcileJobs',
      'submitStage',
      'wakeBackup',
      'wakeRestore',
    ]);
  });
});
